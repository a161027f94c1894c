"""Generated queries and findings that share a vocabulary, so that they meet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_network
from uuid import UUID

from hypothesis import strategies as st

from findings.facts import CORE_FIELDS, FindingType, Kind, Severity, Status, Ticket
from findings.query.ast import (
    And,
    AnyPiece,
    Cidr,
    Exact,
    Exists,
    Field,
    Not,
    Or,
    Range,
    Root,
    Term,
    Wildcard,
    Words,
)
from findings.query.scalars import ascii_lower

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RULE = UUID("0d6f1c9e-7b1a-4f0e-9d52-3a5b8c7d6e5f")
TEXTS = [
    *("x", "X", "xy", "prod", "Prod", "web-1", "web server", "7", "7.0", "7.5", "07", "-1", "1e3"),
    *("true", "false", "null", "none", "high", "", " ", "100%", "a_b", 'say "hi"', "back\\slash"),
    *("arn:aws:s3:::b", "ghcr.io/acme/api:1.2", "é", "É", "日本", "😀", "\t", "*", "?", "a*b"),
    *("[1 TO 2]", ">=7", "10.0.0.1", "::1", "::ffff:10.0.0.1", "10.0.0.01", "AND", "(", "{}", "[]"),
    *("0d6f1c9e-7b1a-4f0e-9d52-3a5b8c7d6e5f", "image", "@x", "'; --", "a\nb", "ſ", "K", "İ"),
]
KEYS = ["a", "b", "k v", "ключ"]
PATHS = ["a", "b", "a.b", "b.a", "k v", "ключ.a", "workflow.a", "workflow.a.b", "workflow"]
NUMBERS = [0, 1, -1, 7, 7.0, 7.5, 0.1, 1e23, 1e-7, 10**30, 2**53 + 1, -0.0, 12345678901234567891]

storable = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6)
any_text = st.sampled_from(TEXTS) | storable | st.text("xX7 .-_%é", max_size=4)
# Each example has a handful of texts, for queries and findings to share.
pool = st.shared(st.lists(any_text, min_size=3, max_size=5), key="texts")
texts = pool.flatmap(st.sampled_from) | any_text
numbers = (
    st.sampled_from(NUMBERS)
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
)
json_values = st.recursive(
    st.none() | st.booleans() | texts | numbers,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=8,
)
issue_keys = st.lists(texts, max_size=2).map(lambda keys: {"integrations": {"jira": keys}})
documents = st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4)
tags = st.lists(
    st.builds("{}:{}".format, st.sampled_from(KEYS), texts) | st.sampled_from(KEYS),
    max_size=5,
    unique=True,
)
times = st.timedeltas(timedelta(days=-3), timedelta(days=3)).map(
    lambda span: NOON + span
) | st.just(NOON)
findings = st.fixed_dictionaries(
    {
        "finding_type": st.sampled_from([t.value for t in FindingType]),
        "severity": st.sampled_from([s.value for s in Severity]),
        "status": st.sampled_from([s.value for s in Status]),
        "title": st.lists(texts, max_size=3).map(" ".join),
        "description": st.lists(texts, max_size=3).map("-".join),
        "resource_id": texts,
        "resource_name": texts,
        "resource_type": texts,
        "tags": tags,
        "attributes": documents,
        "workflow": documents | issue_keys,
        "first_seen_at": times,
        "last_seen_at": times,
        "detection_changed_at": times,
        "ticket": st.sampled_from([t.value for t in Ticket]),
        "ticket_key": texts,
        "ticket_rule_id": st.sampled_from([None, RULE]),
        "ticket_status": st.sampled_from(["", "open", "in_progress", "closed"]),
        "person_severity": st.sampled_from(["", *(s.value for s in Severity)]),
        "mute_rule_id": st.sampled_from([None, RULE]),
        "unmuted_rule_id": st.sampled_from([None, RULE]),
        "is_mute_lifted": st.booleans(),
        "is_in_inbox": st.booleans(),
        "due_at": st.none() | times,
        "due_rule_id": st.sampled_from([None, RULE]),
    }
)


# --- Queries ------------------------------------------------------------------------------

networks = st.lists(
    st.sampled_from(["10.0.0.0/8", "10.0.0.1/32", "::/0", "::1/128", "::ffff:0:0/96"]).map(
        ip_network
    ),
    min_size=1,
    max_size=2,
).map(tuple)


def tidied(pieces: list[str | AnyPiece]) -> tuple[str | AnyPiece, ...]:
    """As the parser leaves them: neighbouring literals and neighbouring runs are one."""
    found: list[str | AnyPiece] = []
    for piece in filter(None, pieces):
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif piece is not AnyPiece.RUN or found[-1:] != [AnyPiece.RUN]:
            found.append(piece)
    return tuple(found)


def cut(text: str, at: int, length: int, wildcard: AnyPiece) -> list[str | AnyPiece]:
    return [text[:at], wildcard, text[at + length :]]


pieces = (
    (
        st.builds(cut, texts, st.integers(0, 3), st.integers(0, 2), st.sampled_from(list(AnyPiece)))
        | st.lists(st.sampled_from(list(AnyPiece)) | texts | st.sampled_from("xX7pw"), max_size=5)
    )
    .map(tidied)
    .filter(bool)
)

wildcards = pieces.filter(
    lambda found: found != (AnyPiece.RUN,) and any(isinstance(p, AnyPiece) for p in found)
)
words = pieces.filter(
    lambda found: (
        found != (AnyPiece.RUN,) and not (len(found) > 1 and str(found[0]).startswith("@"))
    )
).map(lambda found: Words(tuple(ascii_lower(p) if isinstance(p, str) else p for p in found)))


def ranges(bounds):
    pairs = st.lists(bounds, min_size=2, max_size=2).map(sorted)
    return (
        st.builds(
            lambda pair, low, high: Range(*pair, low, high), pairs, st.booleans(), st.booleans()
        )
        | st.builds(lambda low, includes: Range(low, None, includes), bounds, st.booleans())
        | st.builds(lambda high, includes: Range(None, high, True, includes), bounds, st.booleans())
    )


decimals = st.sampled_from(["0", "1", "-1", "7", "7.0", "7.5", "0.1", "1e23", "0.0000001"]).map(
    lambda text: Decimal(format(Decimal(text), "f"))
) | st.decimals(-1000, 1000, places=2)
number_ranges = ranges(decimals)
exacts = texts.map(Exact)
any_matchers = st.one_of(
    exacts, exacts, wildcards.map(Wildcard), number_ranges, networks.map(Cidr), st.just(Exists())
)
name_matchers = (
    st.sampled_from(["high", "none", "open", "over_limit", "secret"]).map(Exact)
    | st.sampled_from([("h", AnyPiece.RUN), (AnyPiece.CHAR, "pen"), ("n", AnyPiece.RUN)]).map(
        Wildcard
    )
    | st.just(Exists())
)
core_paths = {
    kind: [path for path, core in CORE_FIELDS.items() if core.kind is kind] for kind in Kind
}


def attribute_terms(paths, matchers):
    return st.builds(
        lambda path, matcher: Term(Field(Root.ATTRIBUTE, path), matcher),
        st.sampled_from(paths),
        matchers,
    )


terms = st.one_of(
    st.builds(
        lambda key, matcher: Term(Field(Root.TAG, key), matcher),
        st.sampled_from(KEYS),
        any_matchers.filter(lambda matcher: not isinstance(matcher, Cidr)),
    ),
    attribute_terms(PATHS, any_matchers),
    attribute_terms(core_paths[Kind.EXACT], any_matchers),
    attribute_terms(core_paths[Kind.NAME], name_matchers),
    attribute_terms(core_paths[Kind.FLAG], any_matchers),
    attribute_terms(core_paths[Kind.TIME], ranges(times) | st.just(Exists())),
    words.map(lambda matcher: Term(Field(Root.TEXT), matcher)),
)
nodes = st.recursive(
    terms | st.just(And(())),
    lambda inner: (
        inner.map(Not)
        | st.lists(inner, min_size=2, max_size=3).map(lambda found: And(tuple(found)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda found: Or(tuple(found)))
    ),
    max_leaves=5,
)
