"""What `grouping.values_of` says of a finding, as a column of a statement.

A property test holds both databases to it: what the explorer groups is what rules group.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, F, Q, QuerySet, TextField
from django.db.models.sql.compiler import SQLCompiler

from findings.facts import CORE_FIELDS
from findings.grouping import (
    DIGITS,
    MAX_VALUE,
    STORED,
    attribute_path,
    clip,
    first_of,
    tag_key,
)
from findings.query.predicate import document_path, path_values, tag_values
from findings.query.scalars import ascii_lower
from findings.query.sql.fragments import Sql
from findings.query.sql.postgresql import TEXT_OF, path_of

Rows = TypeVar("Rows", bound="QuerySet[Any]")
_PLAIN: Mapping[str, str] = {"resource": "resource_id", "title": "title"}


def add_function(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Receiver of `connection_created`."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("group_value", 2, _read, deterministic=True)


class GroupValue(Expression):
    """The value of one thing to group by; "" for a finding that lacks it, never NULL."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=TextField())
        self.name = name
        self.column: Any = F(_column(name))

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        [self.column] = exprs

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, _ = compiler.compile(self.column)
        read = _postgresql if connection.vendor == "postgresql" else _sqlite
        sql = read(self.name, column)
        return sql.text, sql.params


def value_names(names: Sequence[str]) -> list[str]:
    """What `with_values` calls them."""
    return [f"group_{nth}" for nth, _ in enumerate(names)]


def value_columns(names: Sequence[str]) -> dict[str, GroupValue]:
    """For `annotate` or `alias`."""
    return dict(zip(value_names(names), map(GroupValue, names), strict=True))


def with_values(found: Rows, names: Sequence[str]) -> Rows:
    return found.annotate(**value_columns(names))


def has_all(names: Sequence[str]) -> Q:
    """Of findings `with_values`: each is in a group."""
    return Q(*(~Q((each, "")) for each in value_names(names)))


def are(names: Sequence[str], groups: Sequence[Sequence[str]]) -> Q:
    """Of findings `with_values`: each is in one of these groups."""
    columns = value_names(names)
    if len(columns) == 1:
        return Q((f"{columns[0]}__in", [value for [value] in groups]))
    found = Q(pk__in=())
    for values in groups:
        found |= Q(*zip(columns, values, strict=True))
    return found


def _column(name: str) -> str:
    if name in _PLAIN:
        return _PLAIN[name]
    if name in STORED:
        return "grouping"
    if tag_key(name):
        return "tags"
    path = attribute_path(name)
    return CORE_FIELDS[path].column if path in CORE_FIELDS else document_path(path)[0]


# --- SQLite: Python itself, row by row ------------------------------------------------------


def _sqlite(name: str, column: str) -> Sql:
    return Sql(column) if name == "resource" else Sql(f"group_value(%s, {column})", (name,))


def _read(name: str, stored: str) -> str:
    return _reader(name)(stored)


@lru_cache(maxsize=1024)
def _reader(name: str) -> Callable[[str], str]:
    if name == "title":
        return ascii_lower
    if name in STORED:
        return lambda stored: _document(stored).get(name, "")
    if key := tag_key(name):
        return lambda stored: first_of(tag_values(_document(stored), key))
    path = attribute_path(name)
    if path in CORE_FIELDS:
        return clip
    _, keys = document_path(path)
    return lambda stored: first_of(path_values(_document(stored), keys))


@lru_cache(maxsize=4)
def _document(stored: str) -> Any:
    return json.loads(stored)


# --- PostgreSQL: in the order of characters, as Python has it -------------------------------


def _postgresql(name: str, column: str) -> Sql:
    sql = _in_words(name, column)
    return Sql(f'({sql.text}) COLLATE "C"', sql.params)


def _in_words(name: str, column: str) -> Sql:
    if name == "resource":
        return Sql(column)
    if name == "title":
        return Sql(f'lower({column} COLLATE "C")')
    if name in STORED:
        return Sql(f"COALESCE({column} ->> %s, '')", (name,))
    if key := tag_key(name):
        prefix = f"{key}:"
        return _first(
            Sql("substr(tag, %s)", (len(prefix) + 1,)),
            Sql(f"jsonb_array_elements_text({column}) AS tags(tag)"),
            Sql("starts_with(tag, %s)", (prefix,)),
        )
    path = attribute_path(name)
    if path in CORE_FIELDS:
        return Sql(_clipped(column))
    jsonpath = path_of(document_path(path)[1])
    rows = Sql(f"jsonb_path_query({column}, %s::jsonpath) AS finds(found)", (jsonpath,))
    return _first(Sql(TEXT_OF), rows, Sql("TRUE"))


def _first(value: Sql, rows: Sql, condition: Sql) -> Sql:
    """As `grouping.first_of` of the values in the rows."""
    each = f'SELECT ({value.text}) COLLATE "C" AS said FROM {rows.text} WHERE {condition.text}'  # noqa: S608  our own words
    first = f"SELECT min(said) AS said FROM ({each}) each WHERE said <> ''"  # noqa: S608
    params = value.params + rows.params + condition.params
    return Sql(f"SELECT COALESCE({_clipped('said')}, '') FROM ({first}) first", params)  # noqa: S608


def _clipped(value: str) -> str:
    """As `grouping.clip`."""
    digest = f"left(encode(sha256(convert_to({value}, 'UTF8')), 'hex'), {DIGITS})"
    short = f"left({value}, {MAX_VALUE - DIGITS - 1})"
    is_short = f"length({value}) <= {MAX_VALUE}"
    return f"CASE WHEN {is_short} THEN {value} ELSE {short} || '…' || {digest} END"
