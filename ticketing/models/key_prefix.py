from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, TextField
from django.db.models.sql.compiler import SQLCompiler


class KeyPrefix(Func):
    """The project's key in a case's: "SEC" of "SEC-12".

    Without parameters, as SQLite finds no index by an expression that has some.
    """

    template = "split_part(%(expressions)s, '-', 1)"
    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        template = "substr(%(expressions)s, 1, instr(%(expressions)s, '-') - 1)"
        return super().as_sql(compiler, connection, template=template, **extra)
