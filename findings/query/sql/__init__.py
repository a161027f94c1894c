"""The reader of the explorer: a query as a condition on the findings table.

Everything that a person wrote reaches the database as a parameter. The meaning is the
predicate's; a property test holds both databases to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from findings.facts import lookup
from findings.query.ast import And, Node, Not, Or, Term
from findings.query.clock import as_of
from findings.query.predicate import ISSUE_KEYS, TICKET_KEY, columns_read
from findings.query.sql import postgresql, sqlite
from findings.query.sql.fragments import FALSE, TRUE, Sql, all_of, any_of, negated

_TERMS = {"postgresql": postgresql.term, "sqlite": sqlite.term}


def condition(node: Node) -> Condition:
    """What `Finding.objects.filter()` takes to find what `node` matches today."""
    return Condition(as_of(node, timezone.now()))


class Condition(Expression):
    """True or false for a row of findings, never NULL, so that NOT means what it says."""

    conditional = True

    def __init__(self, node: Node) -> None:
        super().__init__(output_field=BooleanField())
        self.node = node
        self.columns: dict[str, Any] = {
            name: F(lookup(name)) for name in sorted(columns_read(node))
        }

    def get_source_expressions(self) -> list[Any]:
        return list(self.columns.values())

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.columns = dict(zip(self.columns, exprs, strict=True))

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        names = {name: compiler.compile(column)[0] for name, column in self.columns.items()}
        sql = _render(self.node, names, connection)
        return f"({sql.text})", sql.params


def _render(node: Node, names: Mapping[str, str], connection: BaseDatabaseWrapper) -> Sql:
    match node:
        case Term(field):
            read = _ticket_key if field == TICKET_KEY else _TERMS[connection.vendor]
            return read(node, names, connection)
        case Not(inner):
            return negated(_render(inner, names, connection))
        case And(()):
            return TRUE
        case Or(()):
            return FALSE
        case And(nodes):
            return all_of([_render(inner, names, connection) for inner in nodes])
        case Or(nodes):
            return any_of([_render(inner, names, connection) for inner in nodes])


def _ticket_key(node: Term, names: Mapping[str, str], connection: BaseDatabaseWrapper) -> Sql:
    """The case's key, or the issue's; each half answers from an index of its own."""
    of_case, of_issue = (
        _TERMS[connection.vendor](Term(field, node.matcher), names, connection)
        for field in (TICKET_KEY, ISSUE_KEYS)
    )
    return any_of([of_case, all_of([Sql(f"{names['ticket_key']} <> %s", ("",)), of_issue])])
