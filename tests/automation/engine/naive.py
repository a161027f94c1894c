"""The oracle: what the engine means, in the fewest words, and slow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from automation.engine.rules import RuleSpec
from findings.facts import Facts
from findings.query.ast import QueryError
from findings.query.parse import parse_rule_query
from findings.query.predicate import compile_predicate

FirstMatch = Callable[[Facts], int | None]


def naive(specs: Sequence[RuleSpec]) -> FirstMatch:
    """The first enabled rule, in order, whose types and query accept the finding."""
    rules = []
    for index, spec in enumerate(specs):
        try:
            predicate = compile_predicate(parse_rule_query(spec.query).root)
        except QueryError:
            continue
        if spec.enabled:
            rules.append((index, frozenset(spec.finding_types), predicate))

    def first_match(facts: Facts) -> int | None:
        for index, types, predicate in rules:
            if facts.finding_type in types and predicate(facts):
                return index
        return None

    return first_match
