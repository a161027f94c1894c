"""A query in disjunctive normal form: it holds when one of its conjunctions does.

`(team:a AND env:prod) OR -cloud:aws` has two. An index answers each; a rule becomes one bit
per conjunction, side by side, so the lowest set bit still belongs to the first rule that matches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

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

MAX_CONJUNCTIONS = 32
"""Beyond this, alternatives stay one condition that is evaluated, not looked up."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Some value of the field satisfies one of the matchers."""

    field: Field
    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Every clause holds, nothing that is blocked occurs, and the rest is true."""

    clauses: tuple[Clause, ...] = ()
    blocked: tuple[Term, ...] = ()
    rest: tuple[Node, ...] = ()  # what no index answers

    def and_also(self, other: Conjunction) -> Conjunction:
        return Conjunction(
            self.clauses + other.clauses, self.blocked + other.blocked, self.rest + other.rest
        )

    @property
    def lone_clause(self) -> Clause | None:
        """The clause that is all there is, if so: several such of one field become one."""
        if len(self.clauses) == 1 and not self.blocked and not self.rest:
            return self.clauses[0]
        return None


def conjunctions(node: Node) -> tuple[Conjunction, ...]:
    """At most `MAX_CONJUNCTIONS`; together they are true exactly when the node is."""
    match node:
        case Term():
            return (_term(node),)
        case And(nodes):
            return _all(nodes)
        case Or():
            return _either(node)
        case Not(inner):
            return _denied(inner)


def _denied(node: Node) -> tuple[Conjunction, ...]:
    match node:
        case Term():
            return (
                Conjunction(blocked=(node,))
                if _is_indexable(node)
                else Conjunction(rest=(Not(node),)),
            )
        case And(nodes):
            return _either(Or(tuple(map(Not, nodes))))
        case Or(nodes):
            return _all(map(Not, nodes))
        case Not(inner):
            return conjunctions(inner)


def _term(term: Term) -> Conjunction:
    if _is_indexable(term):
        return Conjunction(clauses=(Clause(term.field, (term.matcher,)),))
    if _is_indexable(Term(term.field, Exists())):  # a missing field matches nothing
        return Conjunction(clauses=(Clause(term.field, (Exists(),)),), rest=(term,))
    return Conjunction(rest=(term,))


def _all(nodes: Iterable[Node]) -> tuple[Conjunction, ...]:
    found: tuple[Conjunction, ...] = (Conjunction(),)
    for node in nodes:
        more = conjunctions(node)
        if len(found) * len(more) > MAX_CONJUNCTIONS:
            more = (Conjunction(rest=(node,)),)
        found = tuple(each.and_also(other) for each in found for other in more)
    return found


def _either(node: Or) -> tuple[Conjunction, ...]:
    by_field: defaultdict[Field, dict[Matcher, None]] = defaultdict(dict)
    others: list[Conjunction] = []
    for conjunction in chain.from_iterable(map(conjunctions, node.nodes)):
        if clause := conjunction.lone_clause:
            by_field[clause.field].update(dict.fromkeys(clause.matchers))
        else:
            others.append(conjunction)
    if len(by_field) + len(others) > MAX_CONJUNCTIONS:
        return (Conjunction(rest=(node,)),)
    merged = (Conjunction((Clause(field, tuple(found)),)) for field, found in by_field.items())
    # Conjunctions that need no evaluation first: one of them may spare the others'.
    return tuple(sorted((*merged, *others), key=lambda each: len(each.rest)))


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
