"""Rows whose column is one of many values, as one parameter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler

from config.lib.rows.arrays import array


class AnyOf(In):
    """`column IN (…)` of texts or integers that are as the database has them.

    PostgreSQL gets them as one array: to write a thousand parameters into a statement takes ten
    times as long.
    """

    def __init__(self, column: str, values: Iterable[str] | Iterable[int]) -> None:
        super().__init__(F(column), list(values))

    def get_prep_lookup(self) -> Any:
        return self.rhs

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        if not self.rhs:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*params, array(self.rhs)]
