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
