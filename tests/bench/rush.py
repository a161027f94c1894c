"""`python -m tests.bench rush [--tickets 500] [--rate 5] [--faults 0.1] [--seed N]`

Many tickets at once for a Jira that takes a few requests a second and often fails; see
`tests/flows/rush.py`. Ends with 1 unless all are created, none twice.
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

from tests.machines import fresh_database


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench rush", description=__doc__)
    parser.add_argument("--tickets", type=int, default=500)
    parser.add_argument("--rate", type=float, default=5)
    parser.add_argument("--faults", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=20261124)
    given = parser.parse_args(arguments)
    numbers = (given.tickets, given.rate, given.faults, given.seed, 1)
    with tempfile.TemporaryDirectory() as directory, fresh_database() as url:
        address = url or f"sqlite:///{Path(directory) / 'rush.sqlite3'}"
        done = subprocess.run(
            [sys.executable, "-m", "tests.flows.rush", *map(str, numbers)],
            env=os.environ | {"DATABASE_URL": address, "DATA_DIR": directory},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    rush = json.loads(done.stdout)
    for name, value in rush.items():
        sys.stdout.write(f"{name:<12}{value}\n")
    good = rush["states"] == {"created": given.tickets} and not rush["twice"]
    return 0 if good else 1
