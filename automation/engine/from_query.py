"""A search → the criteria of a rule that matches what the search finds.

Exact: of findings for which all that is left out is true, the criteria hold for those that the
query holds for. What a rule may not ask for is never changed into something similar.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from findings.facts import NOT_IN_RULES, TYPE_CHOICES, Severity
from findings.query.ast import And, Exact, Field, Node, Not, Or, QueryError, Root, Term
from findings.query.canonical import write
from findings.query.parse import Part, parse, parts

_TYPE = Field(Root.ATTRIBUTE, "finding_type")
_SEVERITY = Field(Root.ATTRIBUTE, "severity")


@dataclass(frozen=True, slots=True)
class QueryCriteria:
    types: tuple[str, ...] | None = None  # of `TYPE_CHOICES`; None: the query names none
    severities: tuple[str, ...] | None = None
    kept: tuple[str, ...] = ()  # texts of conditions that all hold
    left_out: tuple[str, ...] = ()  # those that a rule may not use


def criteria_of(
    text: str, *, refused: Collection[str] = (), already: Collection[str] = ()
) -> QueryCriteria:
    """Take a query apart. Raises QueryError for a text that is none.

    `refused` are attributes that this kind of rules may not use, besides those that none may.
    `already` are criteria that are chosen elsewhere, "types" or "severities": what the query says
    of them stays in the query.
    """
    types = severities = None
    kept: list[str] = []
    left_out: list[str] = []
    for node, written in _conditions(text):
        if types is None and "types" not in already and (found := types_in(node)):
            types = found
        elif severities is None and "severities" not in already and (found := _severities_in(node)):
            severities = found
        elif _may_be_used(node, {*NOT_IN_RULES, *refused}):
            kept.append(written)
        else:
            left_out.append(written)
    return QueryCriteria(types, severities, tuple(kept), tuple(left_out))


def joined(texts: Collection[str]) -> str:
    """One query that asks for all of them."""
    if len(texts) == 1:
        return next(iter(texts))
    return " ".join(f"({text})" if _is_either(text) else text for text in texts)


def _is_either(text: str) -> bool:
    try:
        return not parts(text)
    except QueryError:  # written out it is too long: whoever saves it will be told
        return True


def types_in(node: Node) -> tuple[str, ...] | None:
    """The types of a condition that is nothing but a choice of them."""
    named = _choice(node, _TYPE, {choice.wire.value for choice in TYPE_CHOICES})
    return named and tuple(choice.value for choice in TYPE_CHOICES if choice.wire in named)


def _severities_in(node: Node) -> tuple[str, ...] | None:
    named = _choice(node, _SEVERITY, {severity.value for severity in Severity})
    return named and tuple(severity.value for severity in Severity if severity in named)


def _choice(node: Node, field: Field, known: Collection[str]) -> tuple[str, ...] | None:
    named = []
    for term in node.nodes if isinstance(node, Or) else (node,):
        match term:
            case Term(asked, Exact(value)) if asked == field and value in known:
                named.append(value)
            case _:
                return None
    return tuple(named) or None


def _conditions(text: str) -> Iterator[tuple[Node, str]]:
    """What all has to hold, each as it was written where it was written as such."""
    found = parts(text)
    if not found and text.strip():
        found = (Part(parse(text).root, 0, len(text)),)
    for part in found:
        nodes = [*_conjuncts(part.node)]
        if nodes == [part.node]:
            yield part.node, text[part.start : part.end].strip()
        else:
            yield from ((node, write(node)) for node in nodes)


def _conjuncts(node: Node) -> Iterator[Node]:
    match node:
        case And(nodes):
            for inner in nodes:
                yield from _conjuncts(inner)
        case Not(Not(inner)):
            yield from _conjuncts(inner)
        case Not(Or(nodes)):
            for inner in nodes:
                yield from _conjuncts(Not(inner))
        case _:
            yield node


def _may_be_used(node: Node, refused: Collection[str]) -> bool:
    return not any(_is_beneath(field.name, refused) for field in _attributes(node))


def _is_beneath(path: str, refused: Collection[str]) -> bool:
    steps = path.split(".")
    return any(".".join(steps[:number]) in refused for number in range(1, len(steps) + 1))


def _attributes(node: Node) -> Iterator[Field]:
    match node:
        case Term(field):
            if field.root is Root.ATTRIBUTE:
                yield field
        case Not(inner):
            yield from _attributes(inner)
        case And(nodes) | Or(nodes):
            for inner in nodes:
                yield from _attributes(inner)
