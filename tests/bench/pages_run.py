"""`python -m tests.bench.pages_run [--times 20]`: whole requests of pages to the filled database of
DATABASE_URL, rendered, one after another. What they took, as JSON."""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()
logging.disable()

from django.conf import settings  # noqa: E402 - after setup
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from config.accounts.roles import Role  # noqa: E402
from config.lib import statement_timeout  # noqa: E402
from findings.columnar.current import is_getting_ready  # noqa: E402
from findings.models import Finding  # noqa: E402
from tests.bench import page_requests as pages  # noqa: E402
from tests.bench.clock import cpu_seconds  # noqa: E402
from tests.bench.fill import RULES, make_rules  # noqa: E402
from tests.bench.page_requests import Kind, Send  # noqa: E402
from tests.factories import UserFactory  # noqa: E402
from ticketing.models import Project  # noqa: E402

MANY_RULES = 1_000
MEMORY_MB = 512  # what a web process has by default
PATIENCE = 60
"""Seconds that a statement may take here: what takes longer than people wait for is measured."""
LATER = "facets"
"""The cookie of a browser with scripts: it asks for facets and histogram by themselves."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pages_run", description=__doc__)
    parser.add_argument("--times", type=int, default=20)
    times = parser.parse_args().times
    waits, statement_timeout.SECONDS = statement_timeout.SECONDS, PATIENCE
    connection.settings_dict["CONN_MAX_AGE"] = None  # one backend, as in a web process
    settings.ALLOWED_HOSTS = ["*"]
    settings.EXPLORER_MEMORY_MB = MEMORY_MB
    count, client = Finding.objects.count(), _signed_in()
    done: dict[str, Any] = {"count": count, "waits": waits}
    done |= {"floor": _floor(count), "disk": _disk(count)}
    first = _timed(client, pages.explorer(1).__next__().requests[0])
    done |= {"first": first["ms"], "ready": _wait_until_ready()}
    done["kinds"] = {kind.what: _measured(client, kind) for kind in pages.explorer(times + 1)}
    done["kinds"] |= _of_rules(client, times + 1)
    done["cookie"] = client.cookies[settings.SESSION_COOKIE_NAME].value
    sys.stdout.write(json.dumps(done))


def _signed_in() -> Client:
    client = Client()
    admin = UserFactory(email=f"{uuid4().hex}@example.com", role=Role.ADMIN)
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies[LATER] = "later"
    return client


def _of_rules(client: Client, times: int) -> dict[str, Any]:
    project = Project.objects.get(key="SEC")
    make_rules(RULES, project)
    kinds = [pages.rules_page(RULES, times), *pages.editor(project.pk, times)]
    done = {kind.what: _measured(client, kind) for kind in kinds}
    make_rules(MANY_RULES, project)
    done[f"rules page, {MANY_RULES:,} rules"] = _measured(
        client, pages.rules_page(MANY_RULES, times)
    )
    make_rules(RULES, project)
    return done


def _measured(client: Client, kind: Kind) -> dict[str, Any]:
    """Of all requests but the first."""
    warm, *requests = kind.requests
    with CaptureQueriesContext(connection) as captured:
        _timed(client, warm)
    _wait_until_ready()
    with CaptureQueriesContext(connection) as captured:
        _timed(client, warm)
        statements = len(captured)
    before = cpu_seconds()
    answers = [_timed(client, send) for send in requests]
    spent = (cpu_seconds() - before) / len(requests)
    milliseconds = sorted(answer["ms"] for answer in answers)
    return {
        "median": statistics.median(milliseconds),
        "p95": milliseconds[math.ceil(0.95 * len(milliseconds)) - 1],
        "best": milliseconds[0],
        "cpu": 1_000 * spent,
        "statements": statements,
        "kB": max(answer["bytes"] for answer in answers) / 1_000,
        "failed": sum(answer["failed"] for answer in answers),
    }


def _wait_until_ready() -> float:
    """Seconds until all columns are in memory that have been asked for by now."""
    began = time.monotonic()
    while is_getting_ready():
        time.sleep(0.1)
    return time.monotonic() - began


def _timed(client: Client, send: Send) -> dict[str, Any]:
    started = time.perf_counter()
    answer = send(client)
    content: bytes = answer.content  # type: ignore[attr-defined]
    took = 1_000 * (time.perf_counter() - started)
    failed = answer.status_code >= 400
    return {"ms": took, "bytes": len(content), "failed": failed}


def _floor(count: int) -> dict[str, float]:
    """Milliseconds of the least that a database can do about as many rows: add up a column of a
    table that has no other, and find one row by its key."""
    with connection.cursor() as cursor:
        is_postgresql = connection.vendor == "postgresql"
        if is_postgresql:
            cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("CREATE TEMPORARY TABLE floor (n integer PRIMARY KEY)")
        cursor.execute(
            "INSERT INTO floor WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL "
            f"SELECT n + 1 FROM numbers WHERE n < {count}) SELECT n FROM numbers"
        )
        cursor.execute("ANALYZE floor")

        def scan() -> None:
            cursor.execute("SELECT sum(n % 7) FROM floor")
            cursor.fetchall()

        def look_up() -> None:
            cursor.execute("SELECT n FROM floor WHERE n = %s", [count // 2])
            cursor.fetchall()

        done = {"scan": _median(scan), "lookup": _median(look_up)}
        cursor.execute("DROP TABLE floor")
        if is_postgresql:
            cursor.execute("RESET max_parallel_workers_per_gather")
    return done


def _median(action: Callable[[], None]) -> float:
    taken: list[float] = []
    for _ in range(15):
        started = time.perf_counter()
        action()
        taken.append(1_000 * (time.perf_counter() - started))
    return statistics.median(taken)


def _disk(count: int) -> dict[str, dict[str, float]]:
    """Bytes for each finding, by table."""
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_relation_size(oid), "
            "coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0), pg_indexes_size(oid) "
            "FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        rows: Sequence[Any] = cursor.fetchall()
    return {
        name: {"heap": heap / count, "toast": toast / count, "indexes": indexes / count}
        for name, heap, toast, indexes in rows
    }


if __name__ == "__main__":
    main()
