"""`python -m tests.bench death [--runs 1000] [--jobs 2] [--seed N] [--only "STEP × DEATH"]`

The table of death at full size: every step of the delivery × every death, on the database of
DATABASE_URL or SQLite, empty and gone afterwards, one for each job. Prints the table twice: with
the issues of a promise, and with the seconds until it was kept. Ends with 1 unless every promise
has exactly one issue, never had two, and was kept in time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tests.machines import fresh_database

if TYPE_CHECKING:
    from tests.flows.table_of_death import Cell, Result


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench death", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--only", default="", help="cells whose name contains this")
    given = parser.parse_args(arguments)
    jobs = range(given.jobs)
    shares = [len(range(job, given.runs, given.jobs)) for job in jobs]
    with ThreadPoolExecutor(given.jobs) as pool:
        parts = pool.map(play, shares, [given.seed + job for job in jobs], [given.only] * len(jobs))
        played = [result for part in parts for result in part]
    from tests.flows import table_of_death

    sys.stdout.write("\n" + table(played, table_of_death.DEATHS) + "\n")
    sys.stdout.write("\n" + seconds(played, table_of_death.DEATHS) + "\n")
    wrong = [result for result in played if result.wrong or result.most != 1 or is_late(result)]
    for result in wrong:
        sys.stdout.write(f"{result}\n")
    return 1 if wrong else 0


def play(runs: int, seed: int, only: str) -> list[Result]:
    """So many runs in a process of its own, with a database and a Jira of its own."""
    with tempfile.TemporaryDirectory() as directory, fresh_database() as url:
        done = subprocess.run(
            [sys.executable, "-m", "tests.flows.table_of_death", str(runs), str(seed), only],
            env=os.environ
            | {"DATABASE_URL": url or f"sqlite:///{Path(directory) / 'death.sqlite3'}"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    from tests.flows.table_of_death import Cell, Result

    found = [Result(**each) for each in json.loads(done.stdout)]
    return [result._replace(cell=Cell(*result.cell)) for result in found]


def table(played: Sequence[Result], deaths: Sequence[str]) -> str:
    """Issues per promise in each cell, and how often the death was met."""
    cells: dict[Cell, list[Result]] = defaultdict(list)
    for result in played:
        cells[result.cell].append(result)
    steps = list(dict.fromkeys(cell.step for cell in cells))
    lines = [["step \\ death", *deaths]]
    for step in steps:
        found = [cells.get((step, death), []) for death in deaths]
        lines.append([step, *(_said(results) for results in found)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = ["  ".join(f"{t:<{w}}" for t, w in zip(line, widths, strict=True)) for line in lines]
    most = max((result.most for result in played), default=0)
    ends = sorted({result.issues for result in played})
    rows.append(f"{len(played)} promises; issues each at the end: {ends}; most at any time: {most}")
    return "\n".join(row.rstrip() for row in rows)


def is_late(result: Result) -> bool:
    from tests.flows.table_of_death import MAX_AFTER_A_LOST_ANSWER, MAX_SECONDS

    return result.seconds > MAX_SECONDS or (result.lost or 0) > MAX_AFTER_A_LOST_ANSWER


def seconds(played: Sequence[Result], deaths: Sequence[str]) -> str:
    """Seconds from promise to issue in each cell: half of them, 19 of 20, the last."""
    cells: dict[Cell, list[float]] = defaultdict(list)
    for result in played:
        cells[result.cell].append(result.seconds)
    lines = [["step \\ death, s: p50 p95 max", *deaths]]
    for step in dict.fromkeys(cell.step for cell in cells):
        lines.append([step, *(_spread(cells.get((step, death), [])) for death in deaths)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = ["  ".join(f"{t:<{w}}" for t, w in zip(line, widths, strict=True)) for line in lines]
    lost = [result.lost for result in played if result.lost is not None]
    rows.append(f"all: {_spread([result.seconds for result in played])} s")
    rows.append(f"after a lost answer: {_spread(lost)} s ({len(lost)} times)")
    return "\n".join(row.rstrip() for row in rows)


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    ordered = sorted(values)
    at = [ordered[int((len(ordered) - 1) * share)] for share in (0.5, 0.95, 1)]
    return " ".join(f"{value:.0f}" for value in at)


def _said(results: Sequence[Result]) -> str:
    if not results:
        return "–"
    issues = sorted({max(result.issues, result.most) for result in results})
    return f"{'/'.join(map(str, issues))} ({sum(r.died for r in results)} of {len(results)})"
