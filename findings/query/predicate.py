"""The reader of the engine: a query as a function of facts. Its answer is the meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from operator import attrgetter
from typing import Any
from uuid import UUID

from findings.facts import CORE_FIELDS, FREE_TEXT_FIELDS, CoreField, Facts, Kind, Ticket
from findings.query import patterns
from findings.query.ast import (
    And,
    Cidr,
    Exact,
    Exists,
    Field,
    Matcher,
    Node,
    Not,
    Or,
    Range,
    Root,
    Term,
    Wildcard,
    Words,
)
from findings.query.scalars import Value, ascii_lower, is_address, number, number_text, scalar

TICKET_KEY = Field(Root.ATTRIBUTE, "ticket.key")
ISSUE_KEYS = Field(Root.ATTRIBUTE, "workflow.integrations.jira")
"""The keys that a finding's ticket has in Jira. `@ticket.key` finds them, too."""

Predicate = Callable[[Facts], bool]
Reader = Callable[[Facts], tuple[Value, ...]]
Test = Callable[[Value], bool]


def compile_predicate(node: Node) -> Predicate:
    """A function that says whether facts match; compile once, call for every finding.

    It knows no clock: a query of today's is read with `clock.as_of` first.
    """
    match node:
        case Term(field, matcher):
            return _term(reader(field), test(matcher))
        case Not(inner):
            denied = compile_predicate(inner)
            return lambda facts: not denied(facts)
        case And(nodes):
            every = tuple(compile_predicate(inner) for inner in nodes)
            return lambda facts: all(holds(facts) for holds in every)
        case Or(nodes):
            either = tuple(compile_predicate(inner) for inner in nodes)
            return lambda facts: any(holds(facts) for holds in either)


def _term(read: Reader, passes: Test) -> Predicate:
    return lambda facts: any(map(passes, read(facts)))


# --- What it reads ----------------------------------------------------------------------


def columns_read(node: Node) -> set[str]:
    """Those of the findings table that a query reads: of no other does its answer depend."""
    match node:
        case Term(field):
            return _columns_of(field)
        case Not(inner):
            return columns_read(inner)
        case And(nodes) | Or(nodes):
            return set().union(*map(columns_read, nodes))


def _columns_of(field: Field) -> set[str]:
    if field.root is Root.TEXT:
        return set(FREE_TEXT_FIELDS)
    if field.root is Root.TAG:
        return {"tags"}
    if field == TICKET_KEY:
        return {"ticket_key", "workflow"}
    if core := CORE_FIELDS.get(field.name):
        return set(core.columns)
    return {document_path(field.name)[0]}


# --- What a field holds -----------------------------------------------------------------


def values(facts: Facts, field: Field) -> tuple[Value, ...]:
    """The values present in a field, as matchers see them; none when it is missing."""
    return reader(field)(facts)


@lru_cache(maxsize=4096)
def reader(field: Field) -> Reader:
    """`values` of one field, with the path taken apart once."""
    if field.root is Root.TEXT:
        return _read_free_text
    if field.root is Root.TAG:
        return lambda facts: tag_values(facts.tags, field.name)
    if field == TICKET_KEY:
        return _read_ticket_keys
    if core := CORE_FIELDS.get(field.name):
        read = attrgetter(core.column)
        return lambda facts: core_values(core, read(facts))
    column, path = document_path(field.name)
    read = attrgetter(column)
    return lambda facts: path_values(read(facts), path)


def _read_free_text(facts: Facts) -> tuple[Value, ...]:
    texts = (getattr(facts, name) for name in FREE_TEXT_FIELDS)
    return tuple(ascii_lower(text) for text in texts if text)


def _read_ticket_keys(facts: Facts) -> tuple[Value, ...]:
    """A ticket is known by its case's key and by that of its issue; no ticket has neither."""
    if not facts.ticket_key:
        return ()
    _, path = document_path(ISSUE_KEYS.name)
    return (facts.ticket_key, *path_values(facts.workflow, path))


def tag_values(tags: Sequence[str], key: str) -> tuple[Value, ...]:
    """What stands after `key:`; a tag that is the key alone has an empty value."""
    prefix = f"{key}:"
    return tuple(tag[len(prefix) :] for tag in tags if tag.startswith(prefix) or tag == key)


def core_values(core: CoreField, raw: Any) -> tuple[Value, ...]:
    """The value of a core field; no text, no time and no ticket are missing fields."""
    if core.kind is Kind.FLAG:
        return ("true" if raw else "false",)
    if raw is None or raw == "" or (core.column == "ticket" and raw == Ticket.NONE):
        return ()
    return (str(raw) if isinstance(raw, UUID) else raw,)


def document_path(name: str) -> tuple[str, tuple[str, ...]]:
    """The JSON column that a dotted path outside the core fields reads, and the keys in it."""
    keys = tuple(name.split("."))
    return ("workflow", keys[1:]) if keys[0] == "workflow" else ("attributes", keys)


def path_values(document: Any, path: Sequence[str]) -> tuple[Value, ...]:
    """The values at a path, as a query compares them."""
    found = (scalar(item) for item in path_items(document, path))
    return tuple(value for value in found if value is not None)


def path_items(document: Any, path: Sequence[str]) -> Iterator[Any]:
    """What is at a path, as it is in the JSON. At each step an array stands for its elements."""
    nodes = [document]
    for key in path:
        nodes = [item[key] for item in each_item(nodes) if isinstance(item, dict) and key in item]
    return each_item(nodes)


def each_item(nodes: Sequence[Any]) -> Iterator[Any]:
    for node in nodes:
        if isinstance(node, list):
            yield from node
        else:
            yield node


# --- What a matcher says of a value -------------------------------------------------------


def test(matcher: Matcher) -> Test:
    """Whether one value that is present passes."""
    match matcher:
        case Exact(text):
            keys = exact_keys(text)
            return lambda value: value in keys
        case Wildcard(pieces):
            pattern = patterns.whole(pieces)
            return lambda value: pattern.fullmatch(as_text(value) or "") is not None
        case Words(pieces):
            words = patterns.within(pieces)
            return lambda value: words.search(as_text(value) or "") is not None
        case Exists():
            return lambda _: True
        case Range():
            return _test_range(matcher)
        case Cidr():
            return _test_cidr(matcher)


def exact_keys(text: str) -> tuple[Value, ...]:
    """All values that `Exact(text)` matches: the text, and the number that it writes."""
    as_decimal = number(text)
    return (text,) if as_decimal is None else (text, as_decimal)


def as_text(value: Value) -> str | None:
    """The text that a wildcard sees."""
    if isinstance(value, str):
        return value
    return number_text(value) if isinstance(value, Decimal) else None


def as_bound(value: Value) -> Decimal | datetime | None:
    """What a range compares: a number, a text that plainly writes one, or a time."""
    if isinstance(value, str):
        return number(value)
    return value if isinstance(value, Decimal | datetime) else None


def _test_range(matcher: Range) -> Test:
    low: Any = matcher.low
    high: Any = matcher.high
    kind = datetime if isinstance(low or high, datetime) else Decimal

    def passes(value: Value) -> bool:
        seen = as_bound(value)
        if not isinstance(seen, kind):
            return False
        if low is not None and not (seen > low or (matcher.includes_low and seen == low)):
            return False
        return high is None or seen < high or (matcher.includes_high and seen == high)

    return passes


def _test_cidr(matcher: Cidr) -> Test:
    def passes(value: Value) -> bool:
        if not isinstance(value, str) or not is_address(value):
            return False
        address = ip_address(value)
        return any(address in network for network in matcher.networks)

    return passes
