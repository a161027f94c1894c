"""Which findings of a table a query matches: the predicate, asked once for each distinct value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import reduce

import numpy as np

from config.lib.utc import microseconds
from findings.columnar.arrays import Mask
from findings.columnar.profiles import PROFILE
from findings.columnar.rows import NEVER
from findings.columnar.table import Table
from findings.facts import CORE_FIELDS, FREE_TEXT_FIELDS, OPEN_STATUSES, CoreField, Kind, Ticket
from findings.query.ast import And, Exists, Field, Matcher, Node, Not, Or, Range, Root, Term, Words
from findings.query.clock import as_of
from findings.query.predicate import ISSUE_KEYS, TICKET_KEY, document_path, test


def matching(table: Table, node: Node, now: datetime) -> Mask | None:
    """The findings that the query matches; None: a column that it reads is not held yet."""
    found = _mask(table, as_of(node, now))
    return None if found is None else found & table.alive


def _mask(table: Table, node: Node) -> Mask | None:
    match node:
        case Term():
            return _term(table, node)
        case Not(inner):
            found = _mask(table, inner)
            return None if found is None else ~found
        case And(nodes):
            return _joined(table, nodes, np.logical_and, np.ones(table.size, dtype=np.bool_))
        case Or(nodes):
            return _joined(table, nodes, np.logical_or, np.zeros(table.size, dtype=np.bool_))


def _joined(
    table: Table, nodes: Sequence[Node], join: Callable[[Mask, Mask], Mask], nothing: Mask
) -> Mask | None:
    # All of them, so that all columns that are not held yet are asked for at once.
    found = [_mask(table, inner) for inner in nodes]
    masks = [mask for mask in found if mask is not None]
    return reduce(join, masks, nothing) if len(masks) == len(found) else None


def _term(table: Table, node: Term) -> Mask | None:
    field, matcher = node.field, node.matcher
    if field.root is Root.TAG:
        passes = table.tags.passing(field.name, matcher)
        tagged: Mask = passes.take(table.tag_codes.values)
        return tagged
    if field.root is Root.TEXT:
        return _words(table, matcher)
    if field == TICKET_KEY:
        return _ticket_key(table, matcher)
    if core := CORE_FIELDS.get(field.name):
        return _core(table, core, matcher)
    return _lazy(table, _document_column(field), matcher)


def _document_column(field: Field) -> str:
    column, path = document_path(field.name)
    return ".".join((column, *path))


def _lazy(table: Table, name: str, matcher: Matcher) -> Mask | None:
    held = table.held(name)
    if held is None:
        return None
    found: Mask = held.dictionary.passing(matcher).take(held.codes.values)
    return found


def _words(table: Table, matcher: Matcher) -> Mask | None:
    if not isinstance(matcher, Words):
        return np.zeros(table.size, dtype=np.bool_)
    found = [_lazy(table, name, matcher) for name in FREE_TEXT_FIELDS]
    masks = [mask for mask in found if mask is not None]
    return reduce(np.logical_or, masks) if len(masks) == len(found) else None


def _ticket_key(table: Table, matcher: Matcher) -> Mask | None:
    of_case = _lazy(table, "ticket_key", matcher)
    has_key = _lazy(table, "ticket_key", Exists())
    of_issue = _lazy(table, _document_column(ISSUE_KEYS), matcher)
    if of_case is None or has_key is None or of_issue is None:
        return None
    return of_case | (has_key & of_issue)


def _core(table: Table, core: CoreField, matcher: Matcher) -> Mask | None:
    if core.kind is Kind.FLAG:
        return _flag(table, core, matcher)
    if core.kind is Kind.TIME:
        return _time(table, core.column, matcher)
    if core.column not in PROFILE:
        return _lazy(table, core.column, matcher)
    return table.of_profiles(table.profiles_passing(core.column, matcher))


def _flag(table: Table, core: CoreField, matcher: Matcher) -> Mask:
    """A flag is "true" or "false", never missing."""
    passes = test(matcher)
    true, false = passes("true"), passes("false")
    if true == false:
        return np.full(table.size, true)
    holds = _FLAGS[core.column](table)
    return table.of_profiles(holds if true else ~holds)


_FLAGS: dict[str, Callable[[Table], Mask]] = {
    "ticket_over_limit": lambda table: table.profiles_with("ticket", [Ticket.OVER_LIMIT]),
    "is_muted_by_rule": lambda table: ~table.profiles_with("mute_rule_id", [""]),
    "is_lifted": lambda table: table.profiles_with("is_mute_lifted", ["true"]),
    "is_in_security_inbox": lambda table: (
        table.profiles_with("is_in_inbox", ["true"]) & table.profiles_with("status", OPEN_STATUSES)
    ),
}


def _time(table: Table, column: str, matcher: Matcher) -> Mask:
    times = table.moments(column)
    if not isinstance(matcher, Exists | Range):
        return np.zeros(table.size, dtype=np.bool_)
    found: Mask = times != NEVER
    if isinstance(matcher, Range):
        if isinstance(matcher.low, datetime):
            is_after = np.greater_equal if matcher.includes_low else np.greater
            found &= is_after(times, microseconds(matcher.low))
        if isinstance(matcher.high, datetime):
            is_before = np.less_equal if matcher.includes_high else np.less
            found &= is_before(times, microseconds(matcher.high))
    return found
