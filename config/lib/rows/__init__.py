"""The fast way to write many rows, one module per database.

Both speak rows as tuples whose JSON columns are already JSON text (`as_json`), so the
caller decides what is written and the database module only how.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, models

from config.lib.rows import postgresql, sqlite


class RowWriter(Protocol):
    def insert(
        self, model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Add rows in one statement, however many."""

    def insert_alike(
        self,
        model: type[models.Model],
        key: str,
        keys: Sequence[int],
        others: Mapping[str, Any],
    ) -> None:
        """Add a row for each key, given under this column; the other columns are the same in
        all. One statement."""

    def reserve_keys(self, model: type[models.Model], number: int) -> Sequence[int]:
        """Primary keys for so many new rows, in ascending order; nobody else gets them. Call
        inside the transaction that inserts the rows."""

    def update(
        self, model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Set `columns` of the rows whose primary key comes first, in one statement."""


def writer() -> RowWriter:
    return postgresql if connection.vendor == "postgresql" else sqlite


def store(instances: Iterable[models.Model]) -> None:
    """Store new instances of one model in one statement, however many there are.

    `bulk_create` writes 999 values in a statement on SQLite. A number that the database gives
    as primary key is not read back.
    """
    rows = list(instances)
    if not rows:
        return
    fields = [
        field
        for field in rows[0]._meta.concrete_fields
        if not field.generated and not isinstance(field, models.AutoField)
    ]
    names = [field.attname for field in fields]
    others = [
        (at, field, _passing(field)) for at, field in enumerate(fields) if not _is_plain(field)
    ]

    def stored(row: models.Model) -> Sequence[Any]:
        values = [getattr(row, name) for name in names]
        for at, field, passing in others:
            if type(values[at]) in passing:
                continue
            values[at] = field.get_db_prep_save(field.pre_save(row, add=True), connection)
        return values

    columns = [field.column for field in fields if field.column]
    writer().insert(type(rows[0]), columns, map(stored, rows))
    for row in rows:
        row._state.adding = False  # noqa: SLF001 as bulk_create does


_PLAIN = (
    models.BooleanField,
    models.CharField,
    models.DateTimeField,
    models.IntegerField,
    models.PositiveIntegerField,
    models.PositiveSmallIntegerField,
    models.SmallIntegerField,
    models.TextField,
)
"""Fields whose values both databases take as they stand in the attribute. An id that is a text in
one place and a UUID in another must be written alike, and so is none of them."""


def _is_plain(field: models.Field[Any, Any]) -> bool:
    if isinstance(field, models.ForeignKey):
        return type(field.target_field) in (*_PLAIN, models.AutoField, models.BigAutoField)
    return type(field) in _PLAIN and not _is_set_now(field)


def _passing(field: models.Field[Any, Any]) -> tuple[type, ...]:
    """Types of other fields' values that both databases take as they stand in the attribute."""
    if _is_set_now(field):
        return ()
    is_id = isinstance(getattr(field, "target_field", field), models.UUIDField)
    return (type(None), UUID) if is_id else (type(None),)


def _is_set_now(field: models.Field[Any, Any]) -> bool:
    return bool(getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False))


def rewrite(instances: Iterable[models.Model], *names: str) -> None:
    """Write these fields of instances of one model in one statement, however many there are."""
    rows = list(instances)
    if not rows:
        return
    fields = [field for field in rows[0]._meta.concrete_fields if field.name in names]
    writer().update(
        type(rows[0]),
        [field.column for field in fields if field.column],
        [
            (
                row.pk,
                *(
                    field.get_db_prep_save(getattr(row, field.attname), connection)
                    for field in fields
                ),
            )
            for row in rows
        ],
    )
