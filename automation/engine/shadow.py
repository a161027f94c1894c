"""Which rules can never act, because an earlier one matches everything they would match.

Says so only where it is certain: rule j shadows rule i when j's finding types hold i's and
each condition of j follows from one condition of i. What needs more thought is not reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

from automation.engine.rules import RuleSpec
from findings.query.ast import And, Node, Or, QueryError
from findings.query.parse import parse_rule_query

Condition = frozenset[Node]
"""Alternatives, one of which is true."""


def shadowed_by(specs: Sequence[RuleSpec]) -> dict[int, int]:
    """Index of a rule that acts → index of the first enabled rule that leaves it nothing."""
    said = tuple((spec.enabled, tuple(spec.finding_types), spec.query) for spec in specs)
    return dict(_shadowed_by(said))


@lru_cache(maxsize=16)
def _shadowed_by(specs: tuple[tuple[bool, tuple[str, ...], str], ...]) -> dict[int, int]:
    shadows: dict[int, int] = {}
    earlier = _Earlier()
    for index, (enabled, finding_types, query) in enumerate(specs):
        if not enabled:
            continue
        try:
            conditions = frozenset(_conditions(parse_rule_query(query).root))
        except QueryError:
            continue  # it never matches, so it neither shadows nor is shadowed
        types = frozenset(finding_types)
        by = earlier.covering(types, conditions)
        if by is not None:
            shadows[index] = by
        earlier.add(index, types, conditions)
    return shadows


class _Earlier:
    """The rules so far, found by one alternative of one of their conditions."""

    def __init__(self) -> None:
        self._rules: dict[int, tuple[frozenset[str], frozenset[Condition]]] = {}
        self._unconditional: list[int] = []
        self._by_alternative: defaultdict[Node, list[int]] = defaultdict(list)

    def add(self, index: int, types: frozenset[str], conditions: frozenset[Condition]) -> None:
        self._rules[index] = (types, conditions)
        if not conditions:
            self._unconditional.append(index)
            return
        for alternative in min(conditions, key=len):
            self._by_alternative[alternative].append(index)

    def covering(self, types: frozenset[str], conditions: frozenset[Condition]) -> int | None:
        candidates = set(self._unconditional)
        for alternatives in conditions:
            # All of them are among the coverer's, so looking for any one is enough.
            for alternative in alternatives:
                candidates.update(self._by_alternative.get(alternative, ()))
                break
        for index in sorted(candidates):
            covering_types, wanted = self._rules[index]
            if types <= covering_types and all(
                any(given <= alternatives for given in conditions) for alternatives in wanted
            ):
                return index
        return None


def _conditions(node: Node) -> Iterator[Condition]:
    if isinstance(node, And):
        for inner in node.nodes:
            yield from _conditions(inner)
    else:
        yield frozenset(_alternatives(node))


def _alternatives(node: Node) -> Iterator[Node]:
    if isinstance(node, Or):
        for inner in node.nodes:
            yield from _alternatives(inner)
    else:
        yield node
