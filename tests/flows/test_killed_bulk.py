"""A bulk run whose workers are killed at random makes each ticket once."""

import pytest
from django.db import connection


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_makes_each_ticket_once_under_kill_9(run_program):
    workers = 2 if connection.vendor == "sqlite" else 3
    answer = run_program("tests.flows.killed_bulk", 1_000, workers, 12, 20261125)
    assert answer == {
        "killed": 12,
        "state": "done",
        "steps": {"done": 1_000},
        "cases": 1_000,
        "ticketed": 1_000,
    }
