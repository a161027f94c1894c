from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from django.db import connection

from config.lib.rows.arrays import array
from findings.facts import Status

TEXTS = [
    "",
    "NULL",
    None,
    "null",
    '"',
    "\\",
    '\\"',
    "{a,b}",
    "a,b",
    " x ",
    "line\nbreak\ttab",
    "ü\u2028",
]


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no arrays")
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", TEXTS),
        ("text", [*TEXTS, "\x01", "\x02", "\x01\x02"]),  # its own signs
        ("text", [None]),
        ("varchar", [Status.OPEN, "muted"]),
        ("bigint", [1, None, -(2**63)]),
        ("bigint", [1, -(2**63)]),
        ("boolean", [True, None, False]),
        ("uuid", [UUID(int=7), None]),
        ("date", [date(2026, 1, 2)]),
        ("timestamptz", [datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), None]),
        ("text", []),
    ],
)
def test_it_gives_postgresql_the_same_values(kind, values):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [array(values)])
        assert cursor.fetchone() == (values,)
