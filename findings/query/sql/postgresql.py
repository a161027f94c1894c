"""One term for PostgreSQL. Equality of tags and attributes answers from the GIN indexes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from findings.facts import CORE_FIELDS, FREE_TEXT_FIELDS, CoreField, Kind, Ticket
from findings.query import patterns
from findings.query.ast import (
    AnyPiece,
    Cidr,
    Exact,
    Exists,
    Matcher,
    Piece,
    Range,
    Root,
    Term,
    Wildcard,
    Words,
)
from findings.query.predicate import document_path
from findings.query.scalars import ADDRESS, NUMBER, WORD_CHARACTER, number, number_text
from findings.query.sql.columns import comparison, flag
from findings.query.sql.fragments import FALSE, Sql, all_of, any_of, exists

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TEXT_OF = (
    "CASE jsonb_typeof(found) WHEN 'string' THEN found #>> '{}' WHEN 'boolean' THEN found #>> '{}'"
    " WHEN 'number' THEN trim_scale((found #>> '{}')::numeric)::text END"
)
_STRING_OF = "CASE jsonb_typeof(found) WHEN 'string' THEN found #>> '{}' END"
_EMPTY = "('null'::jsonb, '{}'::jsonb, '[]'::jsonb)"  # count as missing


def term(node: Term, names: Mapping[str, str], connection: BaseDatabaseWrapper) -> Sql:
    """The term over the quoted columns in `names`; never NULL."""
    field, matcher = node.field, node.matcher
    if field.root is Root.TEXT:
        return any_of([_words(matcher, names[name]) for name in FREE_TEXT_FIELDS])
    if field.root is Root.TAG:
        return _tags(matcher, field.name, names["tags"])
    if core := CORE_FIELDS.get(field.name):
        return _core(core, matcher, names, connection)
    column, path = document_path(field.name)
    return _document(matcher, path, names[column])


def _words(matcher: Matcher, column: str) -> Sql:
    if not isinstance(matcher, Words):
        return FALSE
    opening, closing = patterns.edges(matcher.pieces)
    run = f"{WORD_CHARACTER}*"
    body = run.join(patterns.parts(matcher.pieces, any_character=WORD_CHARACTER))
    lower = (_UPPER, _UPPER.lower())
    matches = Sql(f"translate({column}, %s, %s) ~ %s", (*lower, f"{opening}{body}{closing}"))
    fixed = max((p for p in matcher.pieces if isinstance(p, str)), key=len, default="")
    if not fixed:
        return matches
    # Whether the text is there at all is told many times faster than whether it is a word: in
    # this collation lower() is what translate() does here, A to Z, without its cost.
    is_there = Sql(f'lower({column} COLLATE "C") LIKE %s', (f"%{_escaped(fixed)}%",))
    return all_of([is_there, matches])


def _tags(matcher: Matcher, key: str, column: str) -> Sql:
    prefix = f"{key}:"
    if isinstance(matcher, Exact):
        written = [f"{prefix}{matcher.value}", *([] if matcher.value else [key])]
        return any_of([Sql(f"{column} @> %s::jsonb", (_json([tag]),)) for tag in written])
    if isinstance(matcher, Exists):
        passes = Sql("(starts_with(tag, %s) OR tag = %s)", (prefix, key))
    else:
        value = Sql("substr(tag, %s)", (len(prefix) + 1,))
        passes = all_of([Sql("starts_with(tag, %s)", (prefix,)), _text(matcher, value)])
    return exists(Sql(f"jsonb_array_elements_text({column}) AS tags(tag)"), passes)


def _core(
    core: CoreField, matcher: Matcher, names: Mapping[str, str], connection: BaseDatabaseWrapper
) -> Sql:
    if core.kind is Kind.FLAG:
        return flag(core, matcher, names)
    column = names[core.column]
    is_ticket = core.column == "ticket"
    written = f"NULLIF({column}::text, '{Ticket.NONE}')" if is_ticket else f"{column}::text"
    plain = comparison(core, matcher, column, connection)
    if plain is not None:
        return plain
    passes = _text(matcher, Sql(written))
    return Sql(f"COALESCE({passes.text}, FALSE)", passes.params)


def _document(matcher: Matcher, path: Sequence[str], column: str) -> Sql:
    jsonpath = path_of(path)
    if isinstance(matcher, Exact):
        return _equals(matcher.value, jsonpath, column)
    match matcher:
        case Exists():
            passes = Sql(f"found NOT IN {_EMPTY}")
        case Range():
            passes = _between(matcher, _NUMBER_OF)
        case Cidr():
            passes = _text(matcher, Sql(_STRING_OF))
        case _:
            passes = _text(matcher, Sql(TEXT_OF))
    rows = Sql(f"jsonb_path_query({column}, %s::jsonpath) AS finds(found)", (jsonpath,))
    return exists(rows, passes)


def path_of(keys: Sequence[str]) -> str:
    """The jsonpath to what is at these keys. At each step an array stands for its elements."""
    return "".join(("$", *(f".{_json(key)}" for key in keys), "[*]"))


def _equals(text: str, jsonpath: str, column: str) -> Sql:
    """Whether a value of `predicate.exact_keys` is found.

    The index answers a filter in the path, which also looks into arrays inside arrays; so what
    it lets through is compared once more. This costs half of what EXISTS over the values would.
    """
    equals = [_json(text)]
    if (as_number := number(text)) is not None:
        equals.append(number_text(as_number))
    if text in ("true", "false"):
        equals.append(text)
    in_path = " || ".join(f"@ == {literal}" for literal in equals)
    values = [f"[{literal}]" for literal in equals]
    return all_of(
        [
            Sql(f"{column} @? %s::jsonpath", (f"{jsonpath} ? ({in_path})",)),
            Sql(
                f"jsonb_path_query_array({column}, %s::jsonpath) @> ANY (%s::jsonb[])",
                (jsonpath, values),
            ),
        ]
    )


def _text(matcher: Matcher, value: Sql) -> Sql:
    """Whether a text passes; NULL at most when the text is."""
    match matcher:
        case Wildcard(pieces):
            return Sql(f"{value.text} LIKE %s", (*value.params, _like(pieces)))
        case Range():
            return _between(matcher, _number_in(value.text), value.params)
        case Cidr(networks):
            return Sql(
                f"CASE WHEN {value.text} ~ %s THEN ({value.text})::inet <<= ANY (%s::inet[])"
                " ELSE FALSE END",
                (*value.params, f"^{ADDRESS}$", *value.params, [str(net) for net in networks]),
            )
        case _:
            return FALSE


def _number_in(text: str) -> str:
    return f"CASE WHEN {text} ~ '^{NUMBER}$' THEN ({text})::numeric END"


_NUMBER_OF = (
    "CASE jsonb_typeof(found) WHEN 'number' THEN (found #>> '{}')::numeric WHEN 'string' THEN "
    + _number_in("(found #>> '{}')")
    + " END"
)


def _between(matcher: Range, value: str, params: tuple[object, ...] = ()) -> Sql:
    """`params` are those of one number in `value`, which names it twice."""
    limits = (
        (">=" if matcher.includes_low else ">", matcher.low),
        ("<=" if matcher.includes_high else "<", matcher.high),
    )
    return all_of(
        [
            Sql(f"COALESCE({value} {operator} %s, FALSE)", (*params, *params, bound))
            for operator, bound in limits
            if bound is not None
        ]
    )


def _like(pieces: Sequence[Piece]) -> str:
    wild = {AnyPiece.RUN: "%", AnyPiece.CHAR: "_"}
    return "".join(
        wild[piece] if isinstance(piece, AnyPiece) else _escaped(piece) for piece in pieces
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _json(value: object) -> str:
    """A literal of JSON, and of a path, whose texts are written alike."""
    return json.dumps(value, ensure_ascii=False)
