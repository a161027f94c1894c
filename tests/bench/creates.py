"""`python -m tests.bench creates [--only NAME …] [--seed N]`

How fast tickets are created: at 0 and 400 ms of latency and in 1 and 4 spaces; when three in ten
are stored without an answer and three in ten fail; while workers are killed. See
`tests/flows/creates.py`. Ends with 1 unless all are created, none twice, and in time. Each failure
of a ticket takes 10 s, as two looks must prove it: "most tries of one" tells luck from slowness.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.machines import fresh_database


class Trial(NamedTuple):
    tickets: int
    spaces: int = 1
    latency: float = 0
    lost: float = 0
    failed: float = 0
    kills: int = 0
    most_seconds: float = 600
    most_after_kills: float = 150


TRIALS = {
    "0 ms, 1 space": Trial(100),
    "0 ms, 4 spaces": Trial(100, spaces=4),
    "400 ms, 1 space": Trial(100, latency=0.4),
    "400 ms, 4 spaces": Trial(100, spaces=4, latency=0.4),
    "mixed faults": Trial(60, lost=0.3, failed=0.3, most_seconds=60),
    "25 kills": Trial(80, latency=0.4, kills=25),
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench creates", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(TRIALS), default=list(TRIALS))
    parser.add_argument("--seed", type=int, default=20261129)
    given = parser.parse_args(arguments)
    missed = False
    for name in given.only:
        done = run(TRIALS[name], given.seed)
        good = is_good(TRIALS[name], done)
        missed |= not good
        sys.stdout.write(f"{name:<18}{'ok' if good else 'MISSED':<8}{json.dumps(done)}\n")
        sys.stdout.flush()
    return int(missed)


def run(trial: Trial, seed: int) -> dict[str, Any]:
    numbers = (*trial[:6], seed)
    with tempfile.TemporaryDirectory() as directory, fresh_database() as url:
        address = url or f"sqlite:///{Path(directory) / 'creates.sqlite3'}"
        done = subprocess.run(
            [sys.executable, "-m", "tests.flows.creates", *map(str, numbers)],
            env=os.environ | {"DATABASE_URL": address, "DATA_DIR": directory},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def is_good(trial: Trial, done: dict[str, Any]) -> bool:
    return (
        done["states"] == {"created": trial.tickets}
        and done["in Jira"] == trial.tickets
        and not done["twice"]
        and done["seconds"] <= trial.most_seconds
        and done["since the last kill"] <= trial.most_after_kills
    )
