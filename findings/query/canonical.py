"""Query → text: `parse(write(node)).root == node` for every node that a text can mean.

Written out, a query can be longer than a text may be; nothing else keeps it from being read.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from findings.query.ast import (
    And,
    AnyPiece,
    Bound,
    Cidr,
    Exact,
    Exists,
    Field,
    Matcher,
    Node,
    Not,
    Or,
    Piece,
    Range,
    Root,
    Term,
    Wildcard,
    Words,
)
from findings.query.scalars import number_text

_PLAIN_VALUE = re.compile(r"-?[A-Za-z0-9_./][A-Za-z0-9_./:@+=#%,;$-]*")
_PLAIN_WORD = re.compile(r"(?!(?:AND|OR|NOT)\Z)[A-Za-z0-9_./][A-Za-z0-9_./@+=#%,;$-]*")
_ENDS_WORD = re.compile(r"""[()"*?\\\s]""")
_ENDS_KEY = re.compile(r"""[()"*?\\\s:]|^[-!&|]""")
_BEGINS_RANGE = re.compile(r"^[\[{<>]")


def write(node: Node) -> str:
    """The one text for a query; every operator and field is spelled out."""
    return "" if node == And(()) else _write(node)


def _write(node: Node) -> str:
    match node:
        case And(()):
            return "*"
        case And(nodes):
            return " AND ".join(map(_operand, nodes))
        case Or(nodes):
            # AND binds tighter: parentheses would only nest deeper than what was read.
            return " OR ".join(
                _write(node) if isinstance(node, And) else _operand(node) for node in nodes
            )
        case Not(inner):
            return f"-{_operand(inner)}"
        case Term(field, matcher):
            return _term(field, matcher)


def _operand(node: Node) -> str:
    compound = isinstance(node, And | Or) and node.nodes
    return f"({_write(node)})" if compound else _write(node)


def _term(field: Field, matcher: Matcher) -> str:
    match matcher:
        case Cidr(networks):
            return f"CIDR(@{field.name},{','.join(map(str, networks))})"
        case Words((str() as text,)):
            return text if _PLAIN_WORD.fullmatch(text) else _quoted(text)
        case Words(pieces):
            return _pieces(pieces, _ENDS_KEY)
    sign = "@" if field.root is Root.ATTRIBUTE else ""
    return f"{sign}{_escaped(field.name, _ENDS_KEY)}:{_value(matcher)}"


def _value(matcher: Matcher) -> str:
    match matcher:
        case Exact(text):
            return text if _PLAIN_VALUE.fullmatch(text) else _quoted(text)
        case Wildcard(pieces):
            return _BEGINS_RANGE.sub(r"\\\g<0>", _pieces(pieces, _ENDS_WORD))
        case Exists():
            return "*"
        case Range():
            return _range(matcher)
    raise TypeError(f"{matcher!r} does not stand after a field")


def _range(matcher: Range) -> str:
    if matcher.high is None and matcher.low is not None:
        return f"{'>=' if matcher.includes_low else '>'}{_bound(matcher.low)}"
    if matcher.low is None and matcher.high is not None:
        return f"{'<=' if matcher.includes_high else '<'}{_bound(matcher.high)}"
    opening = "[" if matcher.includes_low else "{"
    closing = "]" if matcher.includes_high else "}"
    return f"{opening}{_bound(matcher.low)} TO {_bound(matcher.high)}{closing}"


def _bound(bound: Bound | None) -> str:
    if bound is None:
        return "*"
    if isinstance(bound, datetime):
        return f"{bound.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    return number_text(bound)


def _pieces(pieces: tuple[Piece, ...], special: re.Pattern[str]) -> str:
    return "".join(
        piece.value if isinstance(piece, AnyPiece) else _escaped(piece, special) for piece in pieces
    )


def _escaped(text: str, special: re.Pattern[str]) -> str:
    return special.sub(r"\\\g<0>", text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
