"""`python -m tests.bench death [--runs 1000] [--seed N] [--only "STEP × DEATH"]`

The table of death at full size: every step of the delivery × every death, on the database of
DATABASE_URL or SQLite, empty and gone afterwards. Prints the table; ends with 1 unless every
promise has exactly one issue and never had two.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tests.machines import fresh_database

if TYPE_CHECKING:
    from tests.flows.table_of_death import Cell, Result

EVERY = 25


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench death", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--only", default="", help="cells whose name contains this")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory, fresh_database() as url:
        os.environ["DATABASE_URL"] = url or f"sqlite:///{Path(directory) / 'death.sqlite3'}"
        from tests.flows import table_of_death

        played, begun = [], time.monotonic()
        for result in table_of_death.results(given.runs, given.seed, only=given.only):
            played.append(result)
            if len(played) % EVERY == 0:
                sys.stderr.write(f"\r{len(played)} runs, {time.monotonic() - begun:.0f} s ")
        table_of_death.leave()
    sys.stdout.write("\n" + table(played, table_of_death.DEATHS) + "\n")
    wrong = [result for result in played if result.wrong or result.most != 1]
    for result in wrong:
        sys.stdout.write(f"{result}\n")
    return 1 if wrong else 0


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


def _said(results: Sequence[Result]) -> str:
    if not results:
        return "–"
    issues = sorted({max(result.issues, result.most) for result in results})
    return f"{'/'.join(map(str, issues))} ({sum(r.died for r in results)} of {len(results)})"
