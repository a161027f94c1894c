"""Texts compared as bytes, not as a language does."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func
from django.db.models.sql.compiler import SQLCompiler


class Bytewise(Func):
    """A text whose letters in ASCII alone have two cases, as all of SQLite's."""

    template = "%(expressions)s"

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        return super().as_sql(
            compiler, connection, template='(%(expressions)s COLLATE "C")', **extra
        )
