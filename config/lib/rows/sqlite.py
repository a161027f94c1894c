from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, models


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    marks = ", ".join("%s" for _ in columns)
    sql = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 our names
    with connection.cursor() as cursor:
        cursor.executemany(sql, list(map(_adapted, rows)))


def insert_alike(
    model: type[models.Model], key: str, keys: Sequence[int], others: Mapping[str, Any]
) -> None:
    insert(model, (key, *others), ((each, *others.values()) for each in keys))


def update(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    sets = ", ".join(f"{column} = %s" for column in columns)
    key = model._meta.pk.column
    sql = f"UPDATE {model._meta.db_table} SET {sets} WHERE {key} = %s"  # noqa: S608 our names
    with connection.cursor() as cursor:
        cursor.executemany(sql, [_adapted((*row[1:], row[0])) for row in rows])


def _adapted(row: Sequence[Any]) -> tuple[Any, ...]:
    """The row as Django itself stores it: times without offset, ids as 32 digits."""
    return tuple(map(_as_stored, row))


def _as_stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return connection.ops.adapt_datefield_value(value)
    if isinstance(value, UUID):
        return value.hex
    return value


def reserve_keys(model: type[models.Model], number: int) -> Sequence[int]:
    """The write transaction is the reservation; keys that were given once are not given again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [model._meta.db_table])
        (last,) = cursor.fetchone() or (0,)
    return range(last + 1, last + 1 + number)
