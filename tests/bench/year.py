"""`python -m tests.bench year [--days 60] [--a-day 10000]`: a year in small, on PostgreSQL.

Each day so many findings come in, each with a decision and some with a second one; nine of ten are
resolved after ten days. Each night old rows are deleted and findings archived, with horizons of
twenty days instead of a year: beyond them nothing may grow. Needs DATABASE_URL. Then it weighs
partitions by month against chunks, on a table like that of decisions.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.machines import fresh_database

HORIZON = 20  # days
RESOLVED_AFTER = 10
SETTLED = HORIZON + RESOLVED_AFTER + 5  # days, after which nothing grows that should not
TABLES = ("findings_finding", "automation_decision", "findings_findingevent")
MAX_GROWTH = 1.10  # of rows and bytes, from the first third beyond the horizon to the last


class Night(NamedTuple):
    seconds: float
    rows: int  # of all tables
    dead: int
    megabytes: float
    longest: float  # seconds of one transaction


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.bench year", description=__doc__)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--a-day", type=int, default=10_000)
    given = parser.parse_args(arguments)
    if given.days < SETTLED + 3:
        parser.error(f"--days: at least {SETTLED + 3}, to compare the first third with the last")
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        sys.stderr.write("DATABASE_URL has to be one of PostgreSQL.\n")
        return 2
    with TemporaryDirectory() as folder, fresh_database() as url:
        assert url
        os.environ |= {"DATABASE_URL": url, "DATA_DIR": folder, "LOG_LEVEL": "ERROR"}
        _set_up()
        nights = list(_nights(given.days, given.a_day))
        files = [path.stat().st_size for path in (Path(folder) / "archive").glob("*.gz")]
        ok = _report(nights, sum(files) / 1e6, given.a_day)
        _weigh_partitions()
    return 0 if ok else 1


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    settings.ARCHIVE_AFTER_DAYS = HORIZON
    settings.RETENTION_DAYS = dict.fromkeys(
        ("decisions", "finding_events", "attempts", "import_changes"), HORIZON
    )


def _execute(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall()) if cursor.description else []


def _nights(days: int, a_day: int) -> Iterator[Night]:
    from django.utils import timezone

    from config.runtime.retention import nightly

    _template(a_day)
    real, longest = nightly._go_on, 0.0

    def timed(*args: Any) -> bool:
        nonlocal longest
        began = time.perf_counter()
        try:
            return real(*args)
        finally:
            longest = max(longest, time.perf_counter() - began)

    nightly._go_on = timed
    begin = timezone.now() - timedelta(days=days)
    for day in range(days):
        now, longest = begin + timedelta(days=day), 0.0
        _day(day, now)
        began = time.perf_counter()
        while not nightly.delete_old_rows(now + timedelta(hours=12), seconds=600):
            pass
        seconds = time.perf_counter() - began
        _execute("ANALYZE findings_finding")
        yield Night(seconds, *_sizes(), longest)
        if day % 5 == 4:
            _vacuum()  # as autovacuum would, which has no time of its own here
            sys.stdout.write(f"day {day + 1}: {seconds:.1f} s, {_sizes()[0]:,} rows\n")
            sys.stdout.flush()


def _sizes() -> tuple[int, int, float]:
    _execute("SELECT pg_stat_force_next_flush()")
    rows = sum(_execute(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES)
    [(dead,)] = _execute(
        "SELECT sum(n_dead_tup)::bigint FROM pg_stat_user_tables WHERE relname = ANY(%s)",
        [list(TABLES)],
    )
    [(size,)] = _execute(
        "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS t(name)",
        [list(TABLES)],
    )
    return rows, int(dead or 0), float(size) / 1e6


def _vacuum() -> None:
    for table in TABLES:
        _execute(f"VACUUM {table}")


# --- A day -------------------------------------------------------------------------------------


def _template(a_day: int) -> None:
    """A day of findings, recorded by the intake itself: the others are copies of it."""
    from findings.models import Source
    from findings.services import record
    from tests.factories import reported

    source = Source.objects.create(name="bench")
    said = {"tags": ("team:payments", "env:prod"), "description": "A long text. " * 40}
    for start in range(0, a_day, 1_000):
        some = reported(min(1_000, a_day - start), prefix=f"r{start}", **said)
        record(some, source=source)
    _execute("CREATE TABLE bench_template AS SELECT * FROM findings_finding ORDER BY id")
    _execute("DELETE FROM findings_evaluation")
    _execute("DELETE FROM findings_finding")


def _day(day: int, now: datetime) -> None:
    columns = [
        name
        for (name,) in _execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = "
            "'findings_finding' AND is_generated = 'NEVER' ORDER BY ordinal_position"
        )
    ]
    changed = {
        "id": f"id + {day * 10_000_000}",
        "fingerprint": f"fingerprint || '-{day}'",
        "finding_id": f"finding_id || '-{day}'",
    }
    moments = ("first_seen_at", "detection_changed_at", "opened_at")
    changed |= dict.fromkeys(moments, "%(now)s::timestamptz")
    values = ", ".join(changed.get(name, name) for name in columns)
    _run(
        f"INSERT INTO findings_finding ({', '.join(columns)}) SELECT {values} FROM bench_template",
        now,
    )
    _run(
        "INSERT INTO findings_evaluation (finding_id, last_seen_at, decided_at) "
        "SELECT id, opened_at, opened_at FROM findings_finding WHERE opened_at = %(now)s",
        now,
    )
    decision = (
        "INSERT INTO automation_decision (kind, finding_id, requested_at, outcome, "
        "rule_set_version, facts, reason, day, created_at) SELECT 'ticket_creation', id, "
        "%(now)s, 'no_match', 1, jsonb_build_object('title', title, 'description', description, "
        "'tags', tags, 'attributes', attributes), '', %(now)s::date, %(now)s FROM findings_finding "
    )
    _run(decision + "WHERE opened_at = %(now)s", now)
    _run(decision + "WHERE opened_at = %(now)s - interval '3 days' AND id %% 10 = 0", now)
    event = (
        "INSERT INTO findings_findingevent (finding_id, kind, before, after, note, created_at) "
        "SELECT id, 'status', 'open', 'auto_closed', '', %(now)s FROM findings_finding "
    )
    old = f"opened_at = %(now)s - interval '{RESOLVED_AFTER} days' AND id %% 10 <> 1"
    _run(f"{event} WHERE {old}", now)
    _run(
        f"UPDATE findings_finding SET status = 'auto_closed', resolved_at = %(now)s WHERE {old}",
        now,
    )


def _run(sql: str, now: datetime) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, {"now": now})


# --- What came of it ---------------------------------------------------------------------------


def _report(nights: Sequence[Night], archived: float, a_day: int) -> bool:
    beyond = nights[SETTLED:]
    third = max(1, len(beyond) // 3)
    first, last = beyond[:third], beyond[-third:]
    stayed = a_day / 10  # one of ten is never resolved, and stays with its decision
    expected = stayed * 2 * (len(beyond) - third)
    grown = _mean(last, "rows") - _mean(first, "rows")
    is_flat = abs(grown - expected) < 0.1 * _mean(first, "rows")
    [(tombstones, left)] = _execute(
        "SELECT count(*), pg_total_relation_size('findings_archivedfinding') / 1e6 "
        "FROM findings_archivedfinding"
    )
    lines = [
        f"{a_day:,} findings a day, {len(nights)} days, horizon of {HORIZON} days",
        f"a night: {_mean(last, 'seconds'):.1f} s, its longest transaction "
        f"{max(night.longest for night in last):.2f} s",
        f"rows: {_mean(first, 'rows'):,.0f} → {_mean(last, 'rows'):,.0f}, of which "
        f"{expected:,.0f} are never resolved: {'flat' if is_flat else 'GROWS'}",
        f"on disk: {_mean(first, 'megabytes'):,.0f} → {_mean(last, 'megabytes'):,.0f} MB",
        f"dead rows at the end of a night: {_mean(last, 'dead'):,.0f}",
        f"archive: {archived:.1f} MB; tombstones: {tombstones:,}, {left:.1f} MB",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return is_flat


def _mean(nights: Sequence[Night], name: str) -> float:
    return sum(float(getattr(night, name)) for night in nights) / len(nights)


# --- Partitions against chunks -----------------------------------------------------------------


def _weigh_partitions() -> None:
    """The same 12 × 20,000 rows in a plain and in a partitioned table: the oldest month goes."""
    columns = "id bigint, finding_id bigint, created_at timestamptz, facts jsonb, outcome text"
    _execute(f"CREATE TABLE bench_plain ({columns}, PRIMARY KEY (id))")
    _execute("CREATE INDEX ON bench_plain (created_at)")
    _execute("CREATE INDEX ON bench_plain (finding_id)")
    _execute(
        f"CREATE TABLE bench_parted ({columns}, PRIMARY KEY (id, created_at)) "
        "PARTITION BY RANGE (created_at)"
    )
    _execute("CREATE INDEX ON bench_parted (created_at)")
    _execute("CREATE INDEX ON bench_parted (finding_id)")
    for month in range(1, 13):
        until = f"'{2026 + month // 12}-{month % 12 + 1:02}-01'"
        _execute(
            f"CREATE TABLE bench_parted_{month} PARTITION OF bench_parted "
            f"FOR VALUES FROM ('2026-{month:02}-01') TO ({until})"
        )
    rows = (
        "SELECT n, n / 2, '2026-01-01'::timestamptz + n * interval '130 seconds', "
        "jsonb_build_object('text', repeat('facts ', 150)), 'no_match' "
        "FROM generate_series(0, 239999) n"
    )
    for table in ("bench_plain", "bench_parted"):
        with _timed(f"{table}: 240,000 rows in"):
            _execute(f"INSERT INTO {table} {rows}")
        _execute(f"ANALYZE {table}")
        with _timed(f"{table}: 2,000 times the last of a finding"):
            for finding in range(0, 120_000, 60):
                _execute(
                    f"SELECT id FROM {table} WHERE finding_id = %s ORDER BY id DESC LIMIT 1",
                    [finding],
                )
    with _timed("bench_parted: a month goes whole, with what would have to stay"):
        _execute("ALTER TABLE bench_parted DETACH PARTITION bench_parted_1")
        _execute("DROP TABLE bench_parted_1")
    with _timed("bench_plain: a month goes in chunks, but for the last of each finding"):
        for start in range(0, 20_600, 1_000):
            _execute(
                "DELETE FROM bench_plain p WHERE id >= %s AND id < %s AND EXISTS (SELECT 1 FROM "
                "bench_plain n WHERE n.finding_id = p.finding_id AND n.id > p.id)",
                [start, start + 1_000],
            )
    with _timed("bench_plain: vacuum"):
        _execute("VACUUM bench_plain")


@contextmanager
def _timed(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    sys.stdout.write(f"{what}: {time.perf_counter() - began:.2f} s\n")
