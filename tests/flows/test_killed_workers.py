"""Whatever dies and whenever: no ticket is lost, none is doubled, the limit holds."""

import json
import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.tables import copied_tables

SIZES = [
    pytest.param(600, 40, 8, id="600 findings, 8 kills"),
    pytest.param(5_000, 100, 20, id="5,000 findings, 20 kills", marks=pytest.mark.slow),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("findings", "limit", "kills"), SIZES)
def test_it_loses_and_doubles_nothing_under_kill_9(migrated, tmp_path, findings, limit, kills):
    workers = 2 if connection.vendor == "sqlite" else 4
    arguments = [str(n) for n in (findings, limit, workers, kills, 20261123)]
    with copied_tables(migrated, tmp_path) as address:
        done = subprocess.run(
            [sys.executable, "-m", "tests.flows.killed_workers", *arguments],
            env=os.environ | {"DATABASE_URL": address},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "killed": kills,
        "waiting": 0,
        "outcomes": {"ticketed": limit, "over_limit": findings - limit},
        "cases": {"rule": limit, "limit_notice": 1},
        "violations": [],
    }
