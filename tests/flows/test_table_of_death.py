"""Exactly one issue for each promise, whatever dies and whenever."""

import json
import os
import subprocess
import sys

import pytest

from tests.tables import copied_tables

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
MAX_SECONDS, MAX_AFTER_A_LOST_ANSWER = 130, 5


def run_program(migrated, tmp_path, name, *arguments):
    """What the program prints, on a database of its own."""
    with copied_tables(migrated, tmp_path) as address:
        done = subprocess.run(
            [sys.executable, "-m", f"tests.flows.{name}", *map(str, arguments)],
            env=os.environ | {"DATABASE_URL": address, "DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_creates_one_issue_in_the_end_and_never_two(migrated, tmp_path):
    """Every third cell of the table; all of it: `python -m tests.bench death --runs 1000`.

    And in time, by clocks that go on by themselves while everybody waits.
    """
    played = run_program(migrated, tmp_path, "table_of_death", 25, 20261124)
    assert [run for run in played if run["wrong"]] == []
    assert {(run["state"], run["issues"], run["most"]) for run in played} == {("created", 1, 1)}
    assert sum(run["died"] for run in played) >= 22
    assert [run for run in played if run["seconds"] > MAX_SECONDS] == []
    lost = [run["lost"] for run in played if run["lost"] is not None]
    assert 0 < max(lost) <= MAX_AFTER_A_LOST_ANSWER


def test_a_rush_meets_a_slow_jira_that_often_fails(migrated, tmp_path):
    """60 tickets at 50 requests a second; full size: `python -m tests.bench rush`."""
    rush = run_program(migrated, tmp_path, "rush", 60, 50, 0.1, 20261124, 10)
    assert rush["states"] == {"created": 60}
    assert (rush["in Jira"], rush["twice"], rush["orphans"]) == (60, 0, 0)
    assert rush["throttled"] <= rush["requests"] / 10
    assert rush["others p95"] < rush["seconds"] / 3  # and not until the rush is over
    assert rush["violations"] == []
