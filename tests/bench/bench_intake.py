"""Findings sent over HTTP in batches of 1,000, against COPY of the same rows, in one run.

CPU seconds of this process and of its PostgreSQL backend together, the least of three runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from django.db import connection  # noqa: E402 - after setup
from django.test import Client  # noqa: E402
from django.test.utils import (  # noqa: E402
    CaptureQueriesContext,
    setup_test_environment,
    teardown_test_environment,
)
from django.utils import timezone  # noqa: E402

from automation.pipeline import evaluate_all  # noqa: E402
from automation.rules.services import create_rule  # noqa: E402
from config.accounts.api_keys import create_api_key  # noqa: E402
from config.accounts.roles import Permission  # noqa: E402
from findings.facts import FindingType, Severity  # noqa: E402
from findings.formats.normalised import Normalised, normalise  # noqa: E402
from findings.models import Finding, Source  # noqa: E402
from findings.recording.rows import NEW, new_row, report_row  # noqa: E402
from tests.bench.clock import cpu_seconds  # noqa: E402
from tests.bench.rows import Options, Row  # noqa: E402
from tests.factories import ticket_rule  # noqa: E402
from ticketing.models import Project  # noqa: E402
from ticketing.projects import create_project  # noqa: E402

FINDINGS, BATCH, RUNS = 10_000, 1_000, 3
TABLE = Finding._meta.db_table


def run(options: Options) -> Iterator[Row]:
    with _database():
        findings = _workload(Random(7))
        send = _sender()
        yield _statements(send, findings)
        if connection.vendor == "postgresql":
            yield from _ratios(send, findings)


@contextmanager
def _database() -> Iterator[None]:
    """An empty database of its own, gone afterwards."""
    setup_test_environment()
    name = connection.settings_dict["NAME"]
    # One backend for the whole run, as in a web process: its CPU time is what is measured.
    connection.settings_dict["CONN_MAX_AGE"] = None
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()


def _workload(random: Random, *, first: int = 0) -> list[dict[str, Any]]:
    """About 900 bytes of JSON each: a dozen tags and attributes."""
    return [
        {
            "finding_type": random.choice(list(FindingType)).value,
            "title": f"Finding {number} in a package that somebody has to update",
            "severity": random.choice(list(Severity)).value,
            "resource_id": f"arn:aws:ec2:eu-west-1:123456789012:instance/i-{number:012x}",
            "resource_name": f"web-{number % 500}",
            "resource_type": "host",
            "description": "What it is, why it matters and how to mend it. " * 3,
            "fingerprint": f"fingerprint-{number:08}",
            "tags": [f"tag{n}:value-{random.randrange(50)}" for n in range(12)],
            "attributes": {f"attribute{n}": f"value {random.randrange(99)}" for n in range(10)}
            | {"cvss": {"score": random.randrange(100) / 10}, "exploitable": number % 2 == 0},
        }
        for number in range(first, first + FINDINGS)
    ]


def _sender() -> Callable[[Sequence[bytes]], None]:
    scopes = [Permission.FINDINGS_INTAKE]
    headers = {"DD-API-KEY": create_api_key("bench", scopes=scopes, actor=None)[1]}
    client = Client()

    def send(bodies: Sequence[bytes]) -> None:
        for body in bodies:
            answer = client.post(
                "/api/v1/findings", body, content_type="application/json", headers=headers
            )
            assert answer.status_code == 200, answer.content

    return send


def _bodies(findings: Sequence[dict[str, Any]]) -> list[bytes]:
    batches = (findings[start : start + BATCH] for start in range(0, len(findings), BATCH))
    return [json.dumps({"source": "bench", "findings": batch}).encode() for batch in batches]


def _statements(send: Callable[[Sequence[bytes]], None], findings: list[dict[str, Any]]) -> Row:
    bodies = _bodies(findings[:BATCH])
    send(_bodies(findings[:1]))  # the source and the use of the key are stored
    with CaptureQueriesContext(connection) as captured:
        send(bodies)
    _empty()
    return Row("intake, SQL statements per 1,000 new findings", len(captured), "")


def _ratios(
    send: Callable[[Sequence[bytes]], None], findings: list[dict[str, Any]]
) -> Iterator[Row]:
    bodies, rows, unseen = _bodies(findings), _rows(findings), _unseen()
    indexed = _least(lambda: send(next(unseen)), prepare=_empty)
    again = _again(send, bodies)
    _make_rules()
    decided = _least(lambda: (send(next(unseen)), evaluate_all(seconds=600)), prepare=_empty)
    yield from _sizes()
    indexed_floor = _least(lambda: _copy(rows), prepare=_empty)
    _drop_indexes()
    bare = _least(lambda: send(next(unseen)), prepare=_empty)
    floor = _least(lambda: _copy(rows), prepare=_empty)
    yield Row("intake ÷ COPY, both into the bare table", bare / floor, "×")
    yield Row("intake ÷ COPY, both with all indexes", indexed / indexed_floor, "×")
    yield Row("intake + 100 rules + cases ÷ COPY, all indexes", decided / indexed_floor, "×")
    yield Row("intake with all indexes ÷ COPY bare", indexed / floor, "×")
    yield Row("unchanged again ÷ COPY bare", again / floor, "×")
    yield Row("intake with all indexes", FINDINGS / indexed, "/s", "findings, by CPU second")


def _sizes() -> Iterator[Row]:
    """Bytes of each finding that was taken in and decided."""
    for table in (TABLE, "findings_evaluation", "automation_decision"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_table_size(%s), pg_indexes_size(%s)", [table, table])
            rows, indexes = (size // FINDINGS for size in cursor.fetchone())
        yield Row(f"{table}, per finding: rows", rows, "bytes")
        yield Row(f"{table}, per finding: indexes", indexes, "bytes")


def _unseen() -> Iterator[list[bytes]]:
    """For each run findings of its own: what was said before costs less."""
    return iter([_bodies(_workload(Random(n), first=n * FINDINGS)) for n in range(1, 3 * RUNS + 1)])


def _again(send: Callable[[Sequence[bytes]], None], bodies: Sequence[bytes]) -> float:
    _empty()
    send(bodies)
    return _least(lambda: send(bodies))


def _make_rules(project: Project | None = None) -> None:
    """A hundred rules, of which the findings' severities and tags match one in eight."""
    project = project or create_project(key="SEC", name="Security", actor=None)
    for number in range(100):
        create_rule(
            ticket_rule(
                name=f"Rule {number}",
                finding_types=[kind.value for kind in FindingType],
                query=f"@severity:critical tag{number % 12}:value-{number % 50}",
                project_id=project.pk,
                max_tickets_per_day=10,
            ),
            actor=None,
        )


def _rows(findings: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    now = timezone.now()
    checked = [normalise(finding, position=0) for finding in findings]
    source_id = Source.objects.get().pk
    return [
        new_row(report_row(finding), source_id=source_id, source_name="bench", now=now)
        for finding in checked
        if isinstance(finding, Normalised)
    ]


def _copy(rows: Sequence[tuple[Any, ...]]) -> None:
    """The floor: nothing but the driver's own COPY, whatever ours does to be faster."""
    sql = f"COPY {TABLE} ({', '.join(NEW)}) FROM STDIN"
    for start in range(0, len(rows), BATCH):
        with connection.cursor() as cursor, cursor.copy(sql) as copy:
            for row in rows[start : start + BATCH]:
                copy.write_row(row)


def _empty() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                f"TRUNCATE {TABLE}, findings_evaluation, ticketing_case, "
                "automation_dailyusage CASCADE"
            )
        else:
            cursor.execute(f"DELETE FROM {TABLE}")


def _drop_indexes() -> None:
    """Only the key and the identity stay: what the floor of the design was measured with."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = %s "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [TABLE],
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP INDEX "{name}"')


def _least(action: Callable[[], object], *, prepare: Callable[[], None] = lambda: None) -> float:
    seconds = []
    for _ in range(RUNS):
        prepare()
        before = cpu_seconds()
        action()
        seconds.append(cpu_seconds() - before)
    return min(seconds)
