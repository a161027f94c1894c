"""`python -m tests.bench memory [--megabytes 50 200]`: large reports through the command.

Each in a process of its own, into an empty database (DATABASE_URL, else SQLite): the most memory
that it held, and whether four times the bytes take four times as long.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile

from tests.bench.goals import GOALS
from tests.bench.rows import Row
from tests.bench.tables import table
from tests.machines import fresh_database

PACKINGS = ("plain", "gzip", "zip")
ROOT = Path(__file__).parents[2]
RESULT = {
    "ruleId": "sql-injection",
    "level": "error",
    "message": {"text": "A query is built from what a request says. " * 12},
    "locations": [
        {"physicalLocation": {"artifactLocation": {"uri": "app/{}.py"}, "region": {"startLine": 7}}}
    ],
}


class Spent(NamedTuple):
    seconds: float  # of CPU, of the process alone
    megabytes: float
    findings: int


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.bench memory", description=__doc__)
    parser.add_argument("--megabytes", nargs="+", type=int, default=[50, 200])
    parser.add_argument("--packing", nargs="+", choices=PACKINGS, default=PACKINGS)
    given = parser.parse_args(arguments)
    rows = [row for packing in given.packing for row in _rows(sorted(given.megabytes), packing)]
    sys.stdout.write(table(rows) + "\n")
    return 1 if any(not GOALS[row.what].holds(row.value) for row in rows) else 0


def _rows(sizes: Sequence[int], packing: str) -> Iterator[Row]:
    spent = {size: _import(size, packing) for size in sizes}
    smallest, largest = sizes[0], sizes[-1]
    most = spent[largest]
    note = f"{largest} MB, {most.findings:,} findings, {most.seconds:.0f} s"
    yield Row(f"import of a {packing} report: memory", most.megabytes, "MB", note)
    growth = most.seconds / largest / (spent[smallest].seconds / smallest)
    what = f"import of a {packing} report: time for a byte, largest ÷ smallest"
    yield Row(what, growth, "×", f"{largest} and {smallest} MB")


def _import(size: int, packing: str) -> Spent:
    with TemporaryDirectory() as folder, fresh_database() as url:
        report = _packed(_write(Path(folder) / "report.sarif", size), packing)
        environment = os.environ | {"DATA_DIR": folder, "LOG_LEVEL": "ERROR"}
        environment |= {"DATABASE_URL": url} if url else {}
        _manage("migrate", "--verbosity=0", environment=environment)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = json.loads(_manage("import_report", str(report), "--json", environment=environment))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(seconds, after.ru_maxrss / 1024, said["findings"])


def _manage(*arguments: str, environment: dict[str, str]) -> str:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, check=True, stdout=-1, text=True).stdout


def _write(path: Path, megabytes: int) -> Path:
    with path.open("wb") as file:
        file.write(b'{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Bench"}}, ')
        file.write(b'"results": [')
        _write_results(file, megabytes * 1_000_000)
        file.write(b"]}]}")
    return path


def _write_results(file: BinaryIO, size: int) -> None:
    template = json.dumps(RESULT)
    number = 0
    while file.tell() < size:
        comma = ", " if number else ""
        file.write((comma + template.replace("{}", str(number))).encode())
        number += 1


def _packed(path: Path, packing: str) -> Path:
    target = path.with_suffix(f".{packing}")
    if packing == "gzip":
        with gzip.open(target, "wb", compresslevel=1) as file, path.open("rb") as report:
            while chunk := report.read(1 << 20):
                file.write(chunk)
    elif packing == "zip":
        with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(path, path.name)
    else:
        return path
    path.unlink()
    return target
