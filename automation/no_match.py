"""Why a rule matches nothing: how many findings meet each of its criteria, and all but one.

Each number is that of a query of the explorer, which finds exactly those. One statement counts
all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from automation.engine.rules import RuleSpec
from findings.facts import CONTAINER_IMAGE, TYPE_CHOICES, TypeChoice
from findings.models import Finding
from findings.query.ast import And, Exact, Field, Node, Not, Or, Root, Term
from findings.query.canonical import write
from findings.query.form import split
from findings.query.parse import parse, parts
from findings.query.sql import condition

MAX_TERMS = 6
"""Conditions of a query that are counted each; of a longer one they are counted as one."""


@dataclass(frozen=True, slots=True)
class Criterion:
    label: str
    alone: int
    query: str  # the explorer's, for those
    without: int  # meet all the others
    others: str  # the explorer's query for those


def count_criteria(
    spec: RuleSpec, findings: QuerySet[Finding], *, severity_path: str
) -> Sequence[Criterion]:
    """Of these findings, for each criterion of the rule. One statement."""
    asked = [*_criteria(spec, severity_path)]
    nodes = [node for _, node in asked]
    others = [And((*nodes[:nth], *nodes[nth + 1 :])) for nth, _ in enumerate(nodes)]
    counts = {
        f"{name}_{nth}": Count("pk", filter=condition(node))
        for name, of_name in (("alone", nodes), ("without", others))
        for nth, node in enumerate(of_name)
    }
    found = findings.order_by().aggregate(**counts)
    return [
        Criterion(
            label=label,
            alone=found[f"alone_{nth}"],
            query=write(node),
            without=found[f"without_{nth}"],
            others=write(others[nth]),
        )
        for nth, (label, node) in enumerate(asked)
    ]


def _criteria(spec: RuleSpec, severity_path: str) -> Iterator[tuple[str, Node]]:
    criteria = split(spec.query, severity_path=severity_path)
    yield "Type", _types(spec, criteria.narrowed)
    yield from _terms(criteria.text)
    if criteria.severities:
        severity = Field(Root.ATTRIBUTE, severity_path)
        yield "Severity", _any_of([Term(severity, Exact(each)) for each in criteria.severities])


def _terms(text: str) -> Iterator[tuple[str, Node]]:
    found = parts(text)
    if 1 <= len(found) <= MAX_TERMS:
        yield from ((text[part.start : part.end].strip(), part.node) for part in found)
    elif text.strip():
        yield text.strip(), parse(text).root


def _types(spec: RuleSpec, narrowed: str | None) -> Node:
    is_image = {None: None, "image": True, "host": False}[narrowed]
    return _any_of(
        [
            _type(choice)
            for choice in TYPE_CHOICES
            if choice.wire in spec.finding_types
            and (is_image is None or choice.resource_is_image in (None, is_image))
        ]
    )


def _type(choice: TypeChoice) -> Node:
    of_type = Term(Field(Root.ATTRIBUTE, "finding_type"), Exact(choice.wire.value))
    of_image = Term(Field(Root.ATTRIBUTE, "resource_type"), Exact(CONTAINER_IMAGE))
    if choice.resource_is_image is None:
        return of_type
    return And((of_type, of_image if choice.resource_is_image else Not(of_image)))


def _any_of(nodes: Sequence[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))
