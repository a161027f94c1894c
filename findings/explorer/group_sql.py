"""The statement that a page of groups is: findings are read once, and once it is worked out what
each is grouped by, which costs more than all the rest where it is a tag or an attribute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, QuerySet

from findings.explorer.group_values import GroupValue, value_names, with_values
from findings.facts import Ticket, lookup
from findings.models import Finding

_READ = (
    *("id", "severity_rank", "resource_id", "resource_type", "ticket", "ticket_key"),
    "first_seen_at",
)
_ATTACHED = ", ".join(f"'{ticket}'" for ticket in Ticket if ticket.is_attached)
_TOLD = f"""
    count(*) AS number, max(severity_rank) AS worst, count(DISTINCT resource_id) AS places,
    count(DISTINCT NULLIF(kept_in, '')) AS repositories,
    min(resource_type) AS first_type, max(resource_type) AS last_type,
    count(CASE WHEN ticket IN ({_ATTACHED}) THEN 1 END) AS ticketed,
    count(DISTINCT CASE WHEN ticket IN ({_ATTACHED}) THEN NULLIF(ticket_key, '') END) AS tickets,
    min(NULLIF(known_as, '')) AS first_known_as, max(NULLIF(known_as, '')) AS last_known_as,
    count(DISTINCT NULLIF(known_as, '')) AS vulnerability_count,
    min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at,
    max(id) AS newest, max(CASE WHEN ticket IN ({_ATTACHED}) THEN id END) AS newest_ticketed
"""


def read_page(
    found: QuerySet[Finding], names: Sequence[str], *, number: int, size: int
) -> list[dict[str, Any]]:
    """Rows of the page's groups, and last that of what is in none, whose values are empty. Of a
    page beyond the last one it is the last. `total` and `in_groups` stand in each row."""
    columns = value_names(names)
    made = {
        "last_seen_at": F(lookup("last_seen_at")),
        "known_as": GroupValue("vulnerability"),
        "kept_in": GroupValue("repository"),
    }
    read = with_values(found.order_by(), names).annotate(**made).values(*_READ, *made, *columns)
    try:
        inner, params = read.query.sql_with_params()
    except EmptyResultSet:
        return []
    start = (number - 1) * size
    with connection.cursor() as cursor:
        cursor.execute(_statement(inner, columns), [*params, start, size, size, start, size])
        labels = [column[0] for column in cursor.description]
        return [_typed(dict(zip(labels, row, strict=True))) for row in cursor.fetchall()]


def _statement(inner: str, columns: Sequence[str]) -> str:
    is_lone = " OR ".join(f"{column} = ''" for column in columns)
    keys = ", ".join(
        f"CASE WHEN {is_lone} THEN '' ELSE {column} END AS key_{nth}"
        for nth, column in enumerate(columns)
    )
    by = ", ".join(f"key_{nth}" for nth, _ in enumerate(columns))
    return f"""
        WITH found AS MATERIALIZED ({inner}),
        keyed AS (SELECT found.*, {keys} FROM found),
        grouped AS (SELECT {by}, {_TOLD} FROM keyed GROUP BY {by}),
        placed AS (
            SELECT grouped.*,
                row_number() OVER (ORDER BY key_0 = '', worst DESC, number DESC, {by}) AS place,
                count(*) FILTER (WHERE key_0 <> '') OVER () AS total,
                sum(number) FILTER (WHERE key_0 <> '') OVER () AS in_groups
            FROM grouped
        ),
        paged AS (
            SELECT placed.*,
                CASE WHEN %s >= total THEN (total - 1) / %s * %s ELSE %s END AS start
            FROM placed
        )
        SELECT * FROM paged
        WHERE key_0 = '' OR (place > start AND place <= start + %s)
        ORDER BY place
    """  # noqa: S608  our own words, and Django's


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    times = {name: _moment(row[name]) for name in ("first_seen_at", "last_seen_at")}
    return row | times | {"in_groups": int(row["in_groups"] or 0)}


def _moment(value: str | datetime) -> datetime:
    """SQLite keeps times as texts, in UTC."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)
