"""`python -m tests.bench machines [--findings 20000] [--shapes 1x1 2x1 …]`

Several web and worker processes on one PostgreSQL database, while several senders send findings
over HTTP and somebody looks at pages. What `config/runtime/docs/scale.md` computes with.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from tests.bench import bench_intake as intake
from tests.bench.made_up import MadeUp
from tests.bench.processes import Connections, cpu_of_tree
from tests.machines import Machine, Place, fresh_database, wait_until

SHAPES = ("1x1", "2x1", "2x2", "4x2", "4x4")  # web processes × workers
SENDERS, BATCH, STANDING = 4, 500, 5_000
PAUSE = 0.5  # seconds between two pages that somebody looks at
ROOT = Path(__file__).parents[2]
SECRET = {"SECRET_KEY": "one-key-for-all-machines-0123456789-abcdef"}
LAG = """
SELECT percentile_cont(%s) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - opened_at))
FROM findings_finding f JOIN findings_source s ON s.id = f.source_id
JOIN findings_evaluation e ON e.finding_id = f.id WHERE s.name LIKE 'machines%%'
"""
HEADS = (
    *("web × workers", "findings/s sent", "decided/s", "lag p50 s", "lag p95 s", "page p95 ms"),
    *("lock waits", "connections", "WAL B", "web CPU ms", "worker CPU ms", "PostgreSQL CPU ms"),
)
"""WAL (of the whole server: nothing else may write meanwhile) and CPU for each finding; lock waits:
sessions that wait, in 100 looks."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench machines", description=__doc__)
    parser.add_argument("--findings", type=int, default=20_000)
    parser.add_argument("--shapes", nargs="+", default=SHAPES, metavar="WEBxWORKERS")
    given = parser.parse_args(arguments)
    lines = [HEADS]
    for shape in given.shapes:
        webs, workers = map(int, shape.split("x"))
        with TemporaryDirectory() as folder, fresh_database() as url:
            if url is None:
                parser.error("several machines need DATABASE_URL=postgres://…")
            lines.append((f"{webs} × {workers}", *_trial(Path(folder), url, webs, workers, given)))
        sys.stderr.write(f"{lines[-1]}, load {os.getloadavg()[0]:.1f}\n")
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(cells) + "\n")
    return 0


def _trial(
    folder: Path, url: str, webs: int, workers: int, given: argparse.Namespace
) -> tuple[str, ...]:
    place = Place(folder, url)
    place.environment |= SECRET
    seed = _seed(place, url)
    try:
        serving = [Machine(place, "serve") for _ in range(webs)]
        queues = [Machine(place, "qcluster", WORKERS="1") for _ in range(workers)]
        for machine in serving:
            wait_until(lambda m=machine: m.get("/healthz")[0] == 200, seconds=240)
        wait_until(serving[0].is_ready, seconds=240)
        with psycopg.connect(url, autocommit=True) as session:
            return _measured(session, serving, queues, seed, given.findings)
    finally:
        place.kill_all()


def _seed(place: Place, url: str) -> Mapping[str, Any]:
    with psycopg.connect(url, autocommit=True) as session:  # as a database that keeps what it has
        session.execute(f'ALTER DATABASE "{session.info.dbname}" RESET synchronous_commit')
    place.run("migrate", "--verbosity=0")
    place.run("collectstatic", "--noinput")  # the files that pages need
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.machines_seed", str(STANDING)],
        cwd=ROOT,
        env=place.environment | {"DJANGO_SETTINGS_MODULE": "config.settings.test"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _measured(
    session: psycopg.Connection,
    serving: Sequence[Machine],
    queues: Sequence[Machine],
    seed: Mapping[str, Any],
    count: int,
) -> tuple[str, ...]:
    bodies = _bodies(count)
    watch = Connections(session)
    webs, workers = ([m.pid for m in some] for some in (serving, queues))
    begun, before = time.monotonic(), [cpu_of_tree(webs), cpu_of_tree(workers)]
    wal = _value(session, "SELECT pg_current_wal_lsn() - '0/0'")
    pages: list[float] = []
    over = threading.Event()
    threads = [
        threading.Thread(target=watch.look_until, args=(over,)),
        threading.Thread(target=_look_at_pages, args=(serving, seed["session"], over, pages)),
    ]
    for thread in threads:
        thread.start()
    _send(serving, seed["keys"], bodies)
    sent = time.monotonic() - begun
    wait_until(lambda: not _waiting(serving[0]), seconds=1_200)
    decided = time.monotonic() - begun
    over.set()
    for thread in threads:
        thread.join()
    spent = [after - was for after, was in zip(
        [cpu_of_tree(webs), cpu_of_tree(workers)], before, strict=True
    )]  # fmt: skip
    wal = _value(session, "SELECT pg_current_wal_lsn() - '0/0'") - wal
    lags = [_value(session, LAG, share) for share in (0.5, 0.95)]
    numbers = [1_000 * each / count for each in (*spent, watch.cpu)]
    return (
        f"{count / sent:,.0f}",
        f"{count / decided:,.0f}",
        *(f"{lag:.1f}" for lag in lags),
        f"{_p95(pages):,.0f}",
        f"{watch.lock_waits:.1f}",
        f"{watch.most}",
        f"{wal / count:,.0f}",
        *(f"{each:.2f}" for each in numbers),
    )


def _bodies(count: int) -> list[bytes]:
    found: list[bytes] = []
    for first in range(0, count, intake.FINDINGS):
        some = intake._workload(Random(first), first=first)[: count - first]
        for start in range(0, len(some), BATCH):
            document = {
                "source": f"machines {len(found) % SENDERS}",
                "findings": some[start : start + BATCH],
            }
            found.append(json.dumps(document).encode())
    return found


def _send(serving: Sequence[Machine], keys: Sequence[str], bodies: Sequence[bytes]) -> None:
    """Each sender with a key of its own, to each web process in turn; again when told to wait."""

    def send(nth: int) -> None:
        for number in range(nth, len(bodies), SENDERS):
            machine = serving[number % len(serving)]
            headers = {"Content-Type": "application/json", "DD-API-KEY": keys[nth]}
            address = f"{machine.address}/api/v1/findings"
            request = urllib.request.Request(address, bodies[number], headers)
            with urllib.request.urlopen(request, timeout=120) as answer:
                answer.read()

    with ThreadPoolExecutor(SENDERS) as pool:
        for done in [pool.submit(send, nth) for nth in range(SENDERS)]:
            done.result()


def _look_at_pages(
    serving: Sequence[Machine], session: str, over: threading.Event, taken: list[float]
) -> None:
    headers = {"Cookie": f"sessionid={session}; facets=later", "User-Agent": "bench"}
    number = 0
    while not over.wait(PAUSE):
        query = f"q=team%3A{MadeUp.team(number % 40)}"
        path = ("/findings?", "/explorer/facets?", "/explorer/histogram?")[number % 3] + query
        address = serving[number % len(serving)].address + path
        started = time.monotonic()
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=headers), timeout=120
        ) as answer:
            answer.read()
        taken.append(1_000 * (time.monotonic() - started))
        number += 1


def _waiting(machine: Machine) -> int:
    """Findings that wait for their evaluation."""
    with urllib.request.urlopen(f"{machine.address}/metrics", timeout=60) as answer:
        lines = answer.read().decode().splitlines()
    line = next(line for line in lines if line.startswith("fa_unevaluated_findings "))
    return int(float(line.split()[1]))


def _value(session: psycopg.Connection, statement: str, *params: object) -> float:
    row = session.execute(statement, params or None).fetchone()
    assert row, statement
    return float(row[0])


def _p95(taken: Sequence[float]) -> float:
    return sorted(taken)[math.ceil(0.95 * len(taken)) - 1] if taken else math.nan
