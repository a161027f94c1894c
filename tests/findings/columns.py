"""Columns in memory, in tests: those that a question asks for, of the findings that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from unittest.mock import patch

from findings.columnar import current as process
from findings.columnar.loading import load, load_columns
from findings.columnar.pinned import pinned
from findings.columnar.table import Table

MUCH = 1 << 30
LEFT_TO_SQL = {"finding_id"}
Answer = TypeVar("Answer")


@contextmanager
def columns(table: Table | None) -> Iterator[None]:
    """Inside, these are the columns; with None, SQL answers."""
    with patch.object(process, "current", lambda: table), pinned():
        yield


def table_for(read: Callable[[], object]) -> Table:
    """A table that holds all columns that `read` asks for."""
    wanted: set[str] = set()
    table = load(wanted.add, most=MUCH)
    while True:
        with columns(table):
            read()
        missing = wanted - set(table.lazy) - LEFT_TO_SQL
        if not missing:
            return table
        *_, held = load_columns(table, sorted(missing))
        for name, column in held.items():
            table = table.with_column(name, column)


def from_columns(read: Callable[[], Answer]) -> Answer:
    with columns(table_for(read)):
        return read()
