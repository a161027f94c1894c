"""The scanner's severity in a rule's query."""

from __future__ import annotations

from functools import lru_cache

from findings.query.ast import Exact, QueryError
from findings.query.cost import terms_of
from findings.query.parse import parse_rule_query

_FIELDS = ("severity_details.base.value", "severity_details.adjusted.value")


@lru_cache(maxsize=2048)
def named(query: str) -> frozenset[str]:
    """The severities of the scanner that a query names, in so many words."""
    try:
        terms = [*terms_of(parse_rule_query(query).root)]
    except QueryError:
        return frozenset()
    return frozenset(
        term.matcher.value
        for term in terms
        if term.field.name in _FIELDS and isinstance(term.matcher, Exact)
    )
