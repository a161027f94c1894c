"""Pages about ever more findings: whole requests, what they grow by, disk and memory.

Each number of findings in a database of its own, each in a process of its own.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.rows import Options, Row
from tests.bench.web_memory import web_memory
from tests.machines import fresh_database

SMALL, MANY, MOST = 10_000, 200_000, 1_000_000
FINDING, DECISION = "findings_finding", "automation_decision"
ROOT = Path(__file__).parents[2]


def run(options: Options) -> Iterator[Row]:
    sizes = [SMALL, MANY, MOST] if options.full else [SMALL, MANY]
    with ExitStack() as stack:
        measured = []
        for size in sizes:
            filled = options.filled if size == sizes[-1] else ""
            folder, address = _place(stack, size, filled)
            done = _python("pages_run", "--times", str(options.times), folder=folder, url=address)
            done["memory"] = web_memory(Path(folder), address, done["cookie"])
            measured.append(done)
    yield from rows_of(measured)


def rows_of(measured: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Of what the sizes measured, from the fewest findings to the most."""
    fewest, most = measured[0], measured[-1]
    count, scan = most["count"], most["floor"]["scan"]
    yield Row("findings", count, "")
    yield Row("floor: a column of as many rows added up", scan, "ms")
    yield Row("floor: one row found by its key", most["floor"]["lookup"], "ms")
    yield Row("first request of a process", most["first"], "ms")
    yield Row("all columns in memory, after it", most["ready"], "s")
    for what, kind in most["kinds"].items():
        note = (
            f"median {kind['median']:,.0f}, best {kind['best']:,.0f}, CPU {kind['cpu']:,.0f} ms; "
            f"{kind['median'] / scan:.2g} × floor; "
            f"{kind['statements']} statements"
        )
        note += f"; {kind['failed']} FAILED" if kind["failed"] else ""
        note += "; GIVES UP" if kind["median"] > 1_000 * most["waits"] else ""
        yield Row(f"{what}, p95", kind["p95"], "ms", note)
        yield Row(f"{what}, size", kind["kB"], "kB")
    yield from _growth(fewest, most)
    yield from _disk(most["disk"])
    for what, megabytes in most["memory"].items():
        yield Row(what, megabytes, "MB")


def _growth(fewest: Mapping[str, Any], most: Mapping[str, Any]) -> Iterator[Row]:
    """Exponents: 0 is constant, 1 is in proportion."""
    if fewest is most:
        return
    times = most["count"] / fewest["count"]
    for what, kind in most["kinds"].items():
        grown = {
            clock: math.log(kind[clock] / fewest["kinds"][what][clock]) / math.log(times)
            for clock in ("median", "cpu")
            if kind[clock] and fewest["kinds"][what][clock]
        }
        if "median" in grown:
            note = f"of CPU {grown['cpu']:.2f}" if "cpu" in grown else ""
            yield Row(f"{what}, exponent of growth", grown["median"], "", note)


def _disk(tables: Mapping[str, Mapping[str, float]]) -> Iterator[Row]:
    for table, what in ((FINDING, "finding"), (DECISION, "decision")):
        if parts := tables.get(table):
            note = ", ".join(f"{part} {size:,.0f}" for part, size in parts.items())
            yield Row(f"{what} on disk: heap, TOAST, indexes", sum(parts.values()), "bytes", note)
    if tables:
        whole = sum(sum(parts.values()) for parts in tables.values())
        yield Row("database, for each finding", whole, "bytes")


def _place(stack: ExitStack, size: int, filled: str) -> tuple[str, str]:
    """A folder and the address of a filled database, both gone afterwards unless it was given."""
    folder = stack.enter_context(TemporaryDirectory())
    if filled:
        return folder, filled
    address = stack.enter_context(fresh_database()) or f"sqlite:///{folder}/bench.sqlite3"
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity=0", "--skip-checks"]
    subprocess.run(command, env=_environment(folder, address), check=True)
    _run("fill", "--count", str(size), folder=folder, url=address)
    return folder, address


def _python(module: str, *arguments: str, folder: str, url: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(_run(module, *arguments, folder=folder, url=url))
    return answer


def _run(module: str, *arguments: str, folder: str, url: str) -> str:
    name = "tests.bench" if module == "fill" else f"tests.bench.{module}"
    command = [sys.executable, "-m", name, *(["fill"] if module == "fill" else []), *arguments]
    environment = _environment(folder, url)
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def _environment(folder: str, url: str) -> dict[str, str]:
    return os.environ | {"DATA_DIR": folder, "DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
