"""Whatever dies and whenever: no ticket is lost, none is doubled, the limit holds."""

import pytest
from django.db import connection

SIZES = [
    pytest.param(600, 40, 8, id="600 findings, 8 kills"),
    pytest.param(5_000, 100, 20, id="5,000 findings, 20 kills", marks=pytest.mark.slow),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("findings", "limit", "kills"), SIZES)
def test_it_loses_and_doubles_nothing_under_kill_9(run_program, findings, limit, kills):
    workers = 2 if connection.vendor == "sqlite" else 4
    answer = run_program("tests.flows.killed_workers", findings, limit, workers, kills, 20261123)
    assert answer == {
        "killed": kills,
        "waiting": 0,
        "outcomes": {"ticketed": limit, "over_limit": findings - limit},
        "cases": {"rule": limit, "limit_notice": 1},
        "violations": [],
    }
