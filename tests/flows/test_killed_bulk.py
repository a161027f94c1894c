"""A bulk run whose workers are killed at random makes each ticket once."""

import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.tables import copied_tables


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_makes_each_ticket_once_under_kill_9(migrated, tmp_path):
    workers = 2 if connection.vendor == "sqlite" else 3
    arguments = [str(n) for n in (1_000, workers, 12, 20261125)]
    with copied_tables(migrated, tmp_path) as address:
        done = subprocess.run(
            [sys.executable, "-m", "tests.flows.killed_bulk", *arguments],
            env=os.environ | {"DATABASE_URL": address},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "killed": 12,
        "state": "done",
        "steps": {"done": 1_000},
        "cases": 1_000,
        "ticketed": 1_000,
    }
