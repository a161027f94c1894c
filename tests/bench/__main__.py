"""`python -m tests.bench [--only NAME …] [--full]`: every bench's rows in one table.
`python -m tests.bench creates|death|fill|fill_cases|hotpath|machines|memory|rush|year …`: a trial
that takes many minutes.

Ends with 1 when a goal is missed, so that it can stand in a pipeline. `--json FILE` keeps what was
measured, and `--compare FILE` shows an earlier run beside this one.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import tests.bench
from tests.bench import tables
from tests.bench.rows import Options, Row

PREFIX = "bench_"
TRIALS = ("creates", "death", "fill", "fill_cases", "hotpath", "machines", "memory", "rush", "year")


def main(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in TRIALS:
        trial = importlib.import_module(f"tests.bench.{arguments[0]}")
        return int(trial.main(arguments[1:]))
    given = _parser().parse_args(arguments)
    options = Options(full=given.full, filled=given.filled, times=given.times)
    rows: list[Row] = []
    for name in given.only:
        bench = importlib.import_module(f"tests.bench.{PREFIX}{name}")
        rows.extend(bench.run(options))
        if given.json:  # after each: an hour's work is not lost with the last one
            tables.write(given.json, rows, commit=_commit())
    before = tables.read(given.compare) if given.compare else None
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    sys.stdout.write(f"{tables.table(rows, before=before)}\nload {load}\n")
    lacking = tables.unmeasured(rows, benches=given.only)
    for what in lacking:
        sys.stdout.write(f"not measured: {what}\n")
    if lacking and not _is_postgresql():
        sys.stdout.write("What was not measured needs DATABASE_URL=postgres://…\n")
        lacking = []
    return 1 if lacking or tables.missed(rows) else 0


def _parser() -> argparse.ArgumentParser:
    names = sorted(
        module.name.removeprefix(PREFIX)
        for module in pkgutil.iter_modules(tests.bench.__path__)
        if module.name.startswith(PREFIX)
    )
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--full", action="store_true", help="with 1,000,000 findings, too")
    parser.add_argument(
        "--filled", default="", metavar="URL", help="a database that `fill` filled: not made anew"
    )
    parser.add_argument("--times", type=int, default=20, help="requests of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep what was measured")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="kept by an earlier run")
    return parser


def _is_postgresql() -> bool:
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], stdout=-1, text=True, check=False
    )
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
