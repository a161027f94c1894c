from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models

from config.lib.rows.arrays import array


def insert(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """COPY: a third of the cost of the fastest INSERT."""
    names = ", ".join(columns)
    with (
        connection.wrap_database_errors,  # Django's own errors, as from any other statement
        connection.cursor() as cursor,
        cursor.copy(f"COPY {model._meta.db_table} ({names}) FROM STDIN") as copy,
    ):
        for row in _with_moments_as_text(rows):
            copy.write_row(row)


def _with_moments_as_text(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Rows of one statement share most of their times: writing each of them as text is half of
    what psycopg takes for a row, and is done once for each time here."""
    known: dict[datetime, str] = {}

    def text(moment: datetime) -> str:
        said = known.get(moment)
        if said is None:
            said = known[moment] = str(moment)
        return said

    for row in rows:
        yield [text(value) if type(value) is datetime else value for value in row]


def insert_alike(
    model: type[models.Model], key: str, keys: Sequence[int], others: Mapping[str, Any]
) -> None:
    names, values = ", ".join((key, *others)), ", ".join("%s" for _ in others)
    sql = (
        f"INSERT INTO {model._meta.db_table} ({names})"  # noqa: S608 our names
        f" SELECT given.key, {values} FROM unnest(%s::bigint[]) AS given (key)"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*others.values(), array(keys)])


def update(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    table, key = model._meta.db_table, str(model._meta.pk.column)
    sets = ", ".join(f"{column} = given.{column}" for column in columns)
    arrays = ", ".join(f"%s::{_base_type(model, column)}[]" for column in (key, *columns))
    names = ", ".join((key, *columns))
    sql = (
        f"UPDATE {table} SET {sets} FROM unnest({arrays}) AS given ({names})"  # noqa: S608 our names
        f" WHERE {table}.{key} = given.{key}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, list(map(array, zip(*rows, strict=True))))


def _base_type(model: type[models.Model], column: str) -> str:
    """The column's type without its length: a cast to varchar(n) would cut silently."""
    fields = {field.column: field for field in model._meta.concrete_fields}
    return str(fields[column].db_type(connection)).split("(")[0]


def reserve_keys(model: type[models.Model], number: int) -> Sequence[int]:
    table, key = model._meta.db_table, str(model._meta.pk.column)
    with connection.cursor() as cursor:
        cursor.execute(
            # OFFSET 0: the sequence is looked up once and not for each key.
            "SELECT array_agg(nextval(sequence)) FROM (SELECT pg_get_serial_sequence(%s, %s)"
            "::regclass OFFSET 0) AS of_table (sequence), generate_series(1, %s)",
            [table, key, number],
        )
        (keys,) = cursor.fetchone()
        return sorted(keys)
