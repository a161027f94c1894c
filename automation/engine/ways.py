"""A query as the ways to satisfy it, each a plain conjunction that an index can answer.

`(team:a AND env:prod) OR -cloud:aws` has two ways. A rule becomes one bit per way, side by
side, so the lowest set bit still belongs to the first rule that matches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from findings.facts import Kind
from findings.query.ast import (
    And,
    AnyPiece,
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
)
from findings.query.matchers import kind_of

MOST_WAYS = 32
"""Beyond this, alternatives stay one condition that is evaluated, not looked up."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Some value of the field satisfies one of the matchers."""

    field: Field
    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Every clause holds, nothing that is blocked occurs, and the rest is true."""

    clauses: tuple[Clause, ...] = ()
    blocked: tuple[Term, ...] = ()
    rest: tuple[Node, ...] = ()  # what no index answers

    def and_also(self, other: Way) -> Way:
        return Way(
            self.clauses + other.clauses, self.blocked + other.blocked, self.rest + other.rest
        )

    @property
    def lone_clause(self) -> Clause | None:
        """The clause that is all there is, if so: such ways of one field are one way."""
        if len(self.clauses) == 1 and not self.blocked and not self.rest:
            return self.clauses[0]
        return None


def ways(node: Node) -> tuple[Way, ...]:
    """At most `MOST_WAYS`; together they are true exactly when the node is."""
    match node:
        case Term():
            return (_term(node),)
        case And(nodes):
            return _all(nodes)
        case Or():
            return _either(node)
        case Not(inner):
            return _denied(inner)


def _denied(node: Node) -> tuple[Way, ...]:
    match node:
        case Term():
            return (Way(blocked=(node,)) if _is_indexable(node) else Way(rest=(Not(node),)),)
        case And(nodes):
            return _either(Or(tuple(map(Not, nodes))))
        case Or(nodes):
            return _all(map(Not, nodes))
        case Not(inner):
            return ways(inner)


def _term(term: Term) -> Way:
    if _is_indexable(term):
        return Way(clauses=(Clause(term.field, (term.matcher,)),))
    if _is_indexable(Term(term.field, Exists())):  # a missing field matches nothing
        return Way(clauses=(Clause(term.field, (Exists(),)),), rest=(term,))
    return Way(rest=(term,))


def _all(nodes: Iterable[Node]) -> tuple[Way, ...]:
    found: tuple[Way, ...] = (Way(),)
    for node in nodes:
        more = ways(node)
        if len(found) * len(more) > MOST_WAYS:
            more = (Way(rest=(node,)),)
        found = tuple(way.and_also(other) for way in found for other in more)
    return found


def _either(node: Or) -> tuple[Way, ...]:
    by_field: defaultdict[Field, dict[Matcher, None]] = defaultdict(dict)
    others: list[Way] = []
    for way in (way for inner in node.nodes for way in ways(inner)):
        if clause := way.lone_clause:
            by_field[clause.field].update(dict.fromkeys(clause.matchers))
        else:
            others.append(way)
    if len(by_field) + len(others) > MOST_WAYS:
        return (Way(rest=(node,)),)
    merged = (Way((Clause(field, tuple(found)),)) for field, found in by_field.items())
    # Ways that need no evaluation first: one of them may spare the others'.
    return tuple(sorted((*merged, *others), key=lambda way: len(way.rest)))


def _is_indexable(term: Term) -> bool:
    """Whether the index of the field answers the matcher alone."""
    field, matcher = term.field, term.matcher
    if field.root is Root.TEXT or kind_of(field) not in (Kind.EXACT, Kind.NAME):
        return False
    match matcher:
        case Exact() | Exists():
            return True
        case Range(low, high):
            return not isinstance(low, datetime) and not isinstance(high, datetime)
        case Wildcard((str(), AnyPiece.RUN)):
            return True
    return False
