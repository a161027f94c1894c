"""The rows of reported findings, looked up by what identifies them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from config.lib.any_of import AnyOf
from config.lib.rows.arrays import array


class Identified(AnyOf):
    """A condition: findings of this source with one of these fingerprints.

    PostgreSQL looks each of them up in the index of the constraint. Left to choose, it reads all
    rows of the source where statistics do not tell yet how many there are, as of a first import.
    """

    def __init__(self, source_id: int, fingerprints: Iterable[str]) -> None:
        super().__init__("fingerprint", fingerprints)
        self._source_id = source_id

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Any]:
        sql, params = super().as_sql(compiler, connection)
        return f"({sql} AND findings_finding.source_id = %s)", (*params, self._source_id)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any]]:
        if not self.rhs:
            raise EmptyResultSet
        # OFFSET 0: a plan of its own for each, which no join can take the place of.
        sql = """findings_finding.id = ANY(ARRAY(
            SELECT found.id FROM unnest(%s::text[]) AS named (fingerprint), LATERAL (
                SELECT id FROM findings_finding
                WHERE source_id = %s AND fingerprint = named.fingerprint OFFSET 0
            ) AS found))"""
        return sql, [array(self.rhs), self._source_id]
