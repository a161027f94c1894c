"""The fast way to write many rows, one module per database.

Both speak rows as tuples whose JSON columns are already JSON text (`as_json`), so the
caller decides what is written and the database module only how.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from django.db import connection, models

from config.lib.rows import postgresql, sqlite


class RowWriter(Protocol):
    def insert(
        self, model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Add rows in one statement, however many."""

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
    writer().insert(
        type(rows[0]),
        [field.column for field in fields if field.column],
        (
            [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
            for row in rows
        ),
    )
    for row in rows:
        row._state.adding = False  # noqa: SLF001 as bulk_create does


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
