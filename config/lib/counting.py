"""Numbers of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, Value


def numbers_of(found: Sequence[QuerySet[Any]]) -> list[int]:
    """How many rows each of them finds, one that is cut at most as many as it is cut to.

    One statement, or none for none. Each is planned by itself: of several conditions that one
    aggregate counts, the database looks at every row.
    """
    if not found:
        return []
    counts: list[str] = []
    params: list[Any] = []
    for nth, each in enumerate(found):
        try:
            in_no_order = each if each.query.is_sliced else each.order_by()
            sql, of_each = in_no_order.values(one=Value(1)).query.sql_with_params()
        except EmptyResultSet:
            counts.append("(SELECT 0)")
            continue
        counts.append(f"(SELECT count(*) FROM ({sql}) found{nth})")  # noqa: S608  Django's own
        params += of_each
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", params)
        return list(cursor.fetchone())
