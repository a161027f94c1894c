"""One ticket a group, whatever dies and whenever."""

from __future__ import annotations

import pytest
from django.db import connection

FINDINGS, GROUPS, KILLS = 800, 20, 6
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_each_group_has_one_ticket_and_all_its_findings_under_kill_9(run_program):
    workers = 2 if connection.vendor == "sqlite" else 4
    answer = run_program("tests.flows.killed_groups", FINDINGS, GROUPS, workers, KILLS, 20261129)
    assert answer.pop("seconds") < 200
    assert answer.pop("killed") > 0
    each = FINDINGS // GROUPS
    assert answer == {
        "waiting": 0,
        "outcomes": {"ticketed": GROUPS, "grouped": FINDINGS - GROUPS},
        "tickets": GROUPS,
        "attached": FINDINGS,
        "without a ticket": 0,
        "extents": {f"{each} findings in {each} resources": GROUPS},
        "violations": [],
    }
