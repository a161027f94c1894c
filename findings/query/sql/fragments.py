"""Pieces of SQL with their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Sql(NamedTuple):
    text: str
    params: tuple[Any, ...] = ()


TRUE = Sql("1 = 1")
FALSE = Sql("1 = 0")


def negated(sql: Sql) -> Sql:
    return Sql(f"NOT ({sql.text})", sql.params)


def all_of(fragments: Sequence[Sql]) -> Sql:
    return _joined("AND", fragments)


def any_of(fragments: Sequence[Sql]) -> Sql:
    return _joined("OR", fragments)


def exists(rows: Sql, passes: Sql) -> Sql:
    return Sql(
        f"EXISTS (SELECT 1 FROM {rows.text} WHERE {passes.text})",  # noqa: S608  our own words
        rows.params + passes.params,
    )


def _joined(operator: str, fragments: Sequence[Sql]) -> Sql:
    """Halves in parentheses: a chain of 1,000 is deeper than SQLite's expressions may be."""
    if len(fragments) == 1:
        return fragments[0]
    middle = len(fragments) // 2
    left, right = _joined(operator, fragments[:middle]), _joined(operator, fragments[middle:])
    return Sql(f"({left.text} {operator} {right.text})", left.params + right.params)
