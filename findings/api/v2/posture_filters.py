"""The filters of the older list of findings, as a query of the newer one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.http import QueryDict

from config.lib.echo import cut
from config.lib.jsonapi import ApiError
from findings.facts import GONE_STATUSES, FindingType, Severity, Status
from findings.query.ast import (
    And,
    AnyPiece,
    Exact,
    Field,
    Matcher,
    Node,
    Not,
    Or,
    Query,
    QueryError,
    Range,
    Root,
    Term,
    Wildcard,
)
from findings.query.parse import parse

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
MAX_TAGS, MAX_CHARACTERS = 20, 1_000
LIMIT, CURSOR, SNAPSHOT, DETAILED = (
    "page[limit]",
    "page[cursor]",
    "snapshot_timestamp",
    "detailed_findings",
)
TAGS, MUTED, EVALUATION, STATUS, KINDS = (
    "filter[tags]",
    "filter[muted]",
    "filter[evaluation]",
    "filter[status]",
    "filter[vulnerability_type]",
)
TEXTS: Mapping[str, str] = {
    "filter[rule_id]": "rule.id",
    "filter[rule_name]": "rule.name",
    "filter[resource_type]": "resource_type",
    "filter[@resource_id]": "resource_id",
}
TIMES: Mapping[str, str] = {
    "filter[evaluation_changed_at]": "detection_changed_at",
    "filter[discovery_timestamp]": "first_seen_at",
}
SEVERITIES: Mapping[str, Sequence[Severity]] = {
    "critical": (Severity.CRITICAL,),
    "high": (Severity.HIGH,),
    "medium": (Severity.MEDIUM,),
    "low": (Severity.LOW,),
    "info": (Severity.INFO, Severity.NONE, Severity.UNKNOWN),
}
"""There are five where the newer list has seven."""
VULNERABILITY_TYPES = (
    FindingType.API_SECURITY,
    FindingType.ATTACK_PATH,
    FindingType.IDENTITY_RISK,
    FindingType.MISCONFIGURATION,
)
PASS, FAIL = "pass", "fail"
_REPEATABLE = frozenset({TAGS, KINDS})
_PARAMETERS = {LIMIT, CURSOR, SNAPSHOT, DETAILED, TAGS, MUTED, EVALUATION, STATUS, KINDS}
PARAMETERS = frozenset({*_PARAMETERS, *TEXTS, *TIMES})
_TIME = re.compile(r"(>=|<=|>|<|)([0-9]{1,15})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def check_parameters(params: QueryDict) -> None:
    """Raises `ApiError` 400 for one that there is not, or that is said twice."""
    for name, values in params.lists():
        if name not in PARAMETERS:
            raise _bad(cut(name), f"Unknown parameter. There are {', '.join(sorted(PARAMETERS))}.")
        if len(values) > 1 and name not in _REPEATABLE:
            raise _bad(name, "It is given twice.")
        if any("\0" in value or len(value) > MAX_CHARACTERS for value in values):
            raise _bad(name, f"A value has at most {MAX_CHARACTERS:,} characters, and no NUL.")


def query_of(params: QueryDict) -> Query:
    """Raises `ApiError` 400."""
    return Query("", And(tuple(_conditions(params))))


def limit_of(params: QueryDict) -> int:
    number = _whole(params, LIMIT) if LIMIT in params else DEFAULT_LIMIT
    if number > MAX_LIMIT:
        raise _bad(LIMIT, f"A limit lies from 1 to {MAX_LIMIT:,}.")
    return number


def snapshot_of(params: QueryDict) -> int | None:
    return _whole(params, SNAPSHOT) if SNAPSHOT in params else None


def flag_of(params: QueryDict, name: str) -> bool | None:
    value = params.get(name)
    return None if value is None else _choice(name, value.lower(), ("false", "true")) == "true"


def _conditions(params: QueryDict) -> Iterator[Node]:
    if len(tags := params.getlist(TAGS)) > MAX_TAGS:
        raise _bad(TAGS, f"At most {MAX_TAGS} tags can be asked for.")
    yield from map(_tag, tags)
    for name, path in TEXTS.items():
        if (text := params.get(name)) is not None:
            yield _text(path, text)
    for name, path in TIMES.items():
        if (time := params.get(name)) is not None:
            yield _term(path, _time(name, time))
    if (is_muted := flag_of(params, MUTED)) is not None:
        muted = _any("status", [Status.MUTED])
        yield muted if is_muted else Not(muted)
    if (evaluation := params.get(EVALUATION)) is not None:
        gone = _any("status", GONE_STATUSES)
        yield gone if _choice(EVALUATION, evaluation, (FAIL, PASS)) == PASS else Not(gone)
    if (status := params.get(STATUS)) is not None:
        yield _any("severity", SEVERITIES[_choice(STATUS, status, tuple(SEVERITIES))])
    if kinds := params.getlist(KINDS):
        yield _any("finding_type", [_choice(KINDS, kind, VULNERABILITY_TYPES) for kind in kinds])


def _tag(text: str) -> Node:
    """`key:value`, `-key:value`, `key:val*`."""
    try:
        root = parse(text).root
    except QueryError as error:
        raise _bad(TAGS, f"{error.message} (at character {error.position + 1})") from None
    term = root.node if isinstance(root, Not) else root
    if not isinstance(term, Term) or term.field.root is not Root.TAG:
        raise _bad(TAGS, "A tag is written key:value.")
    return root


def _text(path: str, value: str) -> Node:
    """The value; `-` before it negates, `*` in it is any text."""
    term = _term(path, _matcher(value.removeprefix("-")))
    return Not(term) if value.startswith("-") else term


def _matcher(value: str) -> Matcher:
    if "*" not in value:
        return Exact(value)
    parts = re.split(r"(\*+)", value)
    pieces = (AnyPiece.RUN if part.startswith("*") else part for part in parts if part)
    return Wildcard(tuple(pieces))


def _time(name: str, text: str) -> Range:
    """A moment in epoch milliseconds, or all before or after it."""
    found = _TIME.fullmatch(text)
    try:
        moment = _EPOCH + timedelta(milliseconds=int(found[2])) if found else None
    except OverflowError:
        moment = None
    if found is None or moment is None:
        raise _bad(name, "A time is epoch milliseconds, with >, >=, < or <= before it or without.")
    match found[1]:
        case ">" | ">=" as sign:
            return Range(moment, None, includes_low=sign == ">=")
        case "<" | "<=" as sign:
            return Range(None, moment, includes_high=sign == "<=")
        case _:
            return Range(moment, moment + _MILLISECOND, includes_high=False)


def _term(path: str, matcher: Matcher) -> Term:
    return Term(Field(Root.ATTRIBUTE, path), matcher)


def _any(path: str, values: Sequence[str]) -> Node:
    terms = tuple(_term(path, Exact(str(value))) for value in values)
    return terms[0] if len(terms) == 1 else Or(terms)


def _choice(name: str, value: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise _bad(name, f"“{cut(value)}” is not one of {', '.join(choices)}.")
    return value


def _whole(params: QueryDict, name: str) -> int:
    text = params.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if not 1 <= number < 2**63:
        raise _bad(name, f"{name} is a whole number from 1.")
    return number


def _bad(parameter: str, detail: str) -> ApiError:
    return ApiError(400, detail=detail, parameter=parameter)
