"""What findings of several tools about one problem share, as the database sees it."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, TextField
from django.db.models.sql.compiler import SQLCompiler

MAX_LENGTH = 64  # characters compared; ours have 32, and an index on PostgreSQL holds no long text


class CorrelationId(Func):
    """`attributes.correlation_id`, of which a longer one is cut. The path stands in the SQL and is
    no parameter: SQLite uses an index on an expression only if the text is the same."""

    template = f"left(%(expressions)s ->> 'correlation_id', {MAX_LENGTH})"
    output_field = TextField()
    arity = 1

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> tuple[str, Any]:
        template = f"substr(json_extract(%(expressions)s, '$.correlation_id'), 1, {MAX_LENGTH})"
        return self.as_sql(compiler, connection, template=template, **extra)
