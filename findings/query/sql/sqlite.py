"""One term for SQLite: what columns cannot answer, the predicate itself does, row by row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from findings.facts import CORE_FIELDS, FREE_TEXT_FIELDS, CoreField, Kind
from findings.query.ast import Exact, Field, Root, Term
from findings.query.canonical import write
from findings.query.parse import parse_term
from findings.query.predicate import core_values, document_path, path_values, tag_values, test
from findings.query.scalars import Value, ascii_lower
from findings.query.sql.columns import IDS, comparison, flag
from findings.query.sql.fragments import Sql, any_of, exists

Read = Callable[[Any], tuple[Value, ...]]


def add_function(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Receiver of `connection_created`."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("finding_term", 2, _passes, deterministic=True)


def term(node: Term, names: Mapping[str, str], connection: BaseDatabaseWrapper) -> Sql:
    """The term over the quoted columns in `names`; never NULL."""
    field, matcher = node.field, node.matcher
    if field.root is Root.TEXT:
        return any_of([_ask(node, names[name]) for name in FREE_TEXT_FIELDS])
    if field.root is Root.TAG:
        if isinstance(matcher, Exact) and matcher.value:
            tag = f"{field.name}:{matcher.value}"
            return exists(Sql(f"json_each({names['tags']})"), Sql("value = %s", (tag,)))
        return _ask(node, names["tags"])
    if core := CORE_FIELDS.get(field.name):
        if core.kind is Kind.FLAG:
            return flag(core, matcher, names)
        column = names[core.column]
        return comparison(core, matcher, column, connection) or _ask(node, column)
    return _ask(node, names[document_path(field.name)[0]])


def _ask(node: Term, column: str) -> Sql:
    return Sql(f"finding_term(%s, {column})", (write(node),))


def _passes(written: str, stored: Any) -> bool:
    read, passes = _compiled(written)
    return any(map(passes, read(stored)))


@lru_cache(maxsize=1024)
def _compiled(written: str) -> tuple[Read, Callable[[Value], bool]]:
    node = parse_term(written)
    if not isinstance(node, Term):
        raise TypeError(f"{written!r} is not one term")
    return _reader(node.field), test(node.matcher)


def _reader(field: Field) -> Read:
    """The values of a field from the one column that holds it."""
    if field.root is Root.TEXT:
        return lambda stored: (ascii_lower(stored),) if stored else ()
    if field.root is Root.TAG:
        return lambda stored: tag_values(_document(stored), field.name)
    if core := CORE_FIELDS.get(field.name):
        return lambda stored: core_values(core, _python(core, stored))
    _, path = document_path(field.name)
    return lambda stored: path_values(_document(stored), path)


def _python(core: CoreField, stored: Any) -> Any:
    return UUID(stored) if stored and core.column in IDS else stored


@lru_cache(maxsize=4)
def _document(stored: str) -> Any:
    """Read once for all terms on a row, which ask for it one after the other."""
    return json.loads(stored)
