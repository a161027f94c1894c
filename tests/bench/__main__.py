"""`python -m tests.bench [--only NAME …]`: every bench's rows in one table.
`python -m tests.bench creates|death|hotpath|memory|rush …`: a trial that takes many minutes.

Ends with 1 when a goal is missed, so that it can stand in a pipeline.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Iterable, Sequence

import tests.bench
from tests.bench.rows import Row

PREFIX = "bench_"
TRIALS = ("creates", "death", "hotpath", "memory", "rush")
MARKS = {True: "ok", False: "MISSED", None: ""}


def main(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in TRIALS:
        trial = importlib.import_module(f"tests.bench.{arguments[0]}")
        return int(trial.main(arguments[1:]))
    names = sorted(
        module.name.removeprefix(PREFIX)
        for module in pkgutil.iter_modules(tests.bench.__path__)
        if module.name.startswith(PREFIX)
    )
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    rows: list[Row] = []
    for name in parser.parse_args(arguments).only:
        bench = importlib.import_module(f"tests.bench.{PREFIX}{name}")
        rows.extend(bench.run())
    sys.stdout.write(table(rows) + "\n")
    return 1 if any(row.ok is False for row in rows) else 0


def table(rows: Iterable[Row]) -> str:
    cells = [("what", "measured", "goal", "")]
    cells += [(row.what, row.measured, row.goal, MARKS[row.ok]) for row in rows]
    what, measured, goal, _ = (max(map(len, column)) for column in zip(*cells, strict=True))
    return "\n".join(
        f"{a:<{what}}  {b:>{measured}}  {c:>{goal}}  {d}".rstrip() for a, b, c, d in cells
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
