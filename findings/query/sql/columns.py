"""Terms on core fields that are plain comparisons of a column, on any database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from findings.facts import OPEN_STATUSES, CoreField, Kind, Ticket
from findings.query.ast import Bound, Exact, Exists, Matcher, Range
from findings.query.predicate import test
from findings.query.sql.fragments import FALSE, TRUE, Sql, all_of, negated

IDS = ("ticket_rule_id", "mute_rule_id", "unmuted_rule_id", "due_rule_id")
_OPEN = ", ".join(f"'{status}'" for status in OPEN_STATUSES)
_FLAGS: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "ticket_over_limit": lambda names: f"{names['ticket']} = '{Ticket.OVER_LIMIT}'",
    "is_muted_by_rule": lambda names: f"{names['mute_rule_id']} IS NOT NULL",
    "is_lifted": lambda names: names["is_mute_lifted"],
    "is_in_security_inbox": (
        lambda names: f"{names['is_in_inbox']} AND {names['status']} IN ({_OPEN})"
    ),
}


def flag(core: CoreField, matcher: Matcher, names: Mapping[str, str]) -> Sql:
    """A flag is "true" or "false", never missing."""
    passes = test(matcher)
    holds = Sql(f"({_FLAGS[core.column](names)})")
    if passes("true"):
        return TRUE if passes("false") else holds
    return negated(holds) if passes("false") else FALSE


def comparison(
    core: CoreField, matcher: Matcher, column: str, connection: BaseDatabaseWrapper
) -> Sql | None:
    """The term as a comparison of the quoted column; None when only its text can tell."""
    if core.kind is Kind.TIME:
        return _time(core, matcher, column, connection)
    match matcher:
        case Exists():
            return _present(core, column)
        case Exact(text):
            return _equal(core, text, column, connection)
        case _:
            return None


def _present(core: CoreField, column: str) -> Sql:
    if core.column in IDS:
        return Sql(f"{column} IS NOT NULL")
    return Sql(f"{column} <> %s", (Ticket.NONE.value if core.column == "ticket" else "",))


def _equal(core: CoreField, text: str, column: str, connection: BaseDatabaseWrapper) -> Sql:
    if not text or (core.column == "ticket" and text == Ticket.NONE):
        return FALSE
    if core.column in IDS:
        return _equal_id(text, column, connection)
    return Sql(f"{column} = %s", (text,))


def _equal_id(text: str, column: str, connection: BaseDatabaseWrapper) -> Sql:
    try:
        value = UUID(text)
    except ValueError:
        return FALSE
    if str(value) != text:
        return FALSE
    native = connection.features.has_native_uuid_field
    return Sql(f"({column} IS NOT NULL AND {column} = %s)", (value if native else value.hex,))


def _time(core: CoreField, matcher: Matcher, column: str, connection: BaseDatabaseWrapper) -> Sql:
    is_there = [Sql(f"{column} IS NOT NULL")] if core.column == "due_at" else []
    match matcher:
        case Exists():
            return Sql(f"{column} IS NOT NULL")
        case Range(low, high, includes_low, includes_high):
            limits = (
                (">=" if includes_low else ">", low),
                ("<=" if includes_high else "<", high),
            )
            return all_of(
                is_there
                + [
                    Sql(f"{column} {operator} %s", (_adapted(bound, connection),))
                    for operator, bound in limits
                    if bound is not None
                ]
            )
        case _:
            return FALSE


def _adapted(bound: Bound, connection: BaseDatabaseWrapper) -> object:
    if not isinstance(bound, datetime):
        raise TypeError(f"{bound} is not a time")
    return connection.ops.adapt_datetimefield_value(bound)
