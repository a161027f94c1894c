"""One ticket a group, whatever dies and whenever."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.tables import copied_tables

FINDINGS, GROUPS, KILLS = 800, 20, 6
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_each_group_has_one_ticket_and_all_its_findings_under_kill_9(migrated, tmp_path):
    workers = 2 if connection.vendor == "sqlite" else 4
    arguments = [str(n) for n in (FINDINGS, GROUPS, workers, KILLS, 20261129)]
    with copied_tables(migrated, tmp_path) as address:
        done = subprocess.run(
            [sys.executable, "-m", "tests.flows.killed_groups", *arguments],
            env=os.environ | {"DATABASE_URL": address},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
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
