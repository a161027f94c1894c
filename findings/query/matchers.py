"""What is written after a field → a matcher, by the kind of the field."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from findings.facts import CORE_FIELDS, Kind
from findings.query.ast import (
    AnyPiece,
    Bound,
    Cidr,
    Exact,
    Exists,
    Field,
    Matcher,
    Piece,
    QueryError,
    Range,
    Root,
    Wildcard,
    Words,
)
from findings.query.scalars import ascii_lower, is_address, moment, number

MAX_WORDS = 500
"""Characters of one free-text term: PostgreSQL compiles them to a regular expression."""


def kind_of(field: Field) -> Kind:
    if field.root is Root.ATTRIBUTE and field.name in CORE_FIELDS:
        return CORE_FIELDS[field.name].kind
    return Kind.EXACT


def exact(field: Field, text: str, position: int) -> Matcher:
    """`key:text` or `key:"text"`. A time equals an instant, or lies within a day."""
    kind = kind_of(field)
    if kind is Kind.TIME:
        start, end = _moment(field, text, position)
        return Range(start, end, includes_high=start == end)
    return Exact(ascii_lower(text) if kind is Kind.NAME else text)


def word(field: Field, pieces: tuple[Piece, ...], position: int) -> Matcher:
    """`key:word`, where the word may hold wildcards."""
    match pieces:
        case (AnyPiece.RUN,):
            return Exists()
        case (str() as text,):
            return exact(field, text, position)
    if kind_of(field) is Kind.TIME:
        raise _not_a_time(field, position)
    return Wildcard(_lower(pieces) if kind_of(field) is Kind.NAME else pieces)


def words(pieces: tuple[Piece, ...], position: int) -> Words:
    """Free text."""
    length = sum(1 if isinstance(piece, AnyPiece) else len(piece) for piece in pieces)
    if not length:
        raise QueryError(f'`""` at column {position + 1} looks for nothing', position)
    if length > MAX_WORDS:
        raise QueryError(f"A word or phrase has at most {MAX_WORDS} characters", position)
    return Words(_lower(pieces))


def comparison(field: Field, sign: str, text: str, position: int) -> Range:
    """`key:>=7` and its like."""
    includes = sign.endswith("=")
    if sign.startswith(">"):
        return _range(_low(field, text, position, includes=includes), (None, True), position)
    return _range((None, True), _high(field, text, position, includes=includes), position)


def between(
    field: Field, texts: tuple[str, str], includes: tuple[bool, bool], position: int
) -> Matcher:
    """`key:[low TO high]`; a brace leaves its bound out, `*` has no bound."""
    low, high = texts
    if (low, high) == ("*", "*"):
        return Exists()
    return _range(
        (None, True) if low == "*" else _low(field, low, position, includes=includes[0]),
        (None, True) if high == "*" else _high(field, high, position, includes=includes[1]),
        position,
    )


def cidr(field: Field, texts: Sequence[str], position: int) -> Cidr:
    """`CIDR(@path,10.0.0.0/8)`. Host bits are cut off."""
    if kind_of(field) is Kind.TIME:
        raise QueryError(f"`@{field.name}` is a time, not an address", position)
    return Cidr(tuple(_network(text, position) for text in texts))


_Limit = tuple[Bound | None, bool]  # a bound, and whether it is in the range


def _range(low: _Limit, high: _Limit, position: int) -> Range:
    if low[0] is not None and high[0] is not None and low[0] > high[0]:  # type: ignore[operator]
        raise QueryError(f"The range at column {position + 1} ends before it begins", position)
    return Range(low[0], high[0], low[1], high[1])


def _low(field: Field, text: str, position: int, *, includes: bool) -> _Limit:
    if kind_of(field) is not Kind.TIME:
        return _number(text, position), includes
    start, end = _moment(field, text, position)
    # After a day is from the next day on.
    return (start, includes) if includes or start == end else (end, True)


def _high(field: Field, text: str, position: int, *, includes: bool) -> _Limit:
    if kind_of(field) is not Kind.TIME:
        return _number(text, position), includes
    start, end = _moment(field, text, position)
    # Up to and with a day is before the next day.
    return (end, False) if includes and start != end else (start, includes)


def _number(text: str, position: int) -> Bound:
    value = number(text)
    if value is None:
        raise QueryError(f"{_quote(text)} at column {position + 1} is not a number", position)
    return value


def _moment(field: Field, text: str, position: int) -> tuple[datetime, datetime]:
    found = moment(text)
    if found is None:
        raise _not_a_time(field, position)
    return found


def _not_a_time(field: Field, position: int) -> QueryError:
    return QueryError(
        f"`@{field.name}` at column {position + 1} compares with times: write a day"
        " (2026-11-23), a time (2026-11-23T12:00:00Z) or milliseconds since 1970",
        position,
    )


def _network(text: str, position: int) -> IPv4Network | IPv6Network:
    if is_address(text.partition("/")[0]):
        with suppress(ValueError):
            return ip_network(text, strict=False)
    raise QueryError(f"{_quote(text)} at column {position + 1} is not a network", position)


def _quote(text: str) -> str:
    return f"`{text[:40]}…`" if len(text) > 40 else f"`{text}`"


def _lower(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    return tuple(ascii_lower(piece) if isinstance(piece, str) else piece for piece in pieces)
