"""What a rule asks against what the finding has, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from findings.facts import TYPE_CHOICES, Facts, TypeChoice, type_choice
from findings.query.ast import And, Exact, Field, Node, Not, Or, Root, Term
from findings.query.canonical import write
from findings.query.predicate import compile_predicate, test, values
from findings.query.scalars import Structure, Value, number_text

MAX_VALUE_LENGTH = 80
MAX_VALUES = 3
MAX_REASONS = 5

_IS_IMAGE = {None: None, "image": True, "host": False}
"""`Criteria.narrowed` → the `TypeChoice.resource_is_image` that it leaves."""


@dataclass(frozen=True, slots=True)
class CriterionTrace:
    name: Literal["Type", "Tags", "Severity"]
    ok: bool
    sentence: str


def type_criterion(
    facts: Facts, finding_types: Sequence[str], narrowed: str | None
) -> CriterionTrace:
    seen = type_choice(facts.finding_type, facts.resource_type)
    selected = _selected(finding_types, narrowed)
    if seen in selected:
        sentence = f"{seen.label} is selected"
    elif len(selected) == 1:
        sentence = f"{seen.label} is not {selected[0].label}"
    else:
        sentence = f"{seen.label} is not one of the {len(selected)} selected types"
    return CriterionTrace("Type", seen in selected, sentence)


def _selected(finding_types: Sequence[str], narrowed: str | None) -> list[TypeChoice]:
    is_image = _IS_IMAGE[narrowed]
    return [
        choice
        for choice in TYPE_CHOICES
        if choice.wire in finding_types
        and (is_image is None or choice.resource_is_image in (None, is_image))
    ]


def severity_criterion(facts: Facts, severities: Sequence[str] | None) -> CriterionTrace:
    seen = facts.severity.capitalize()
    ok = severities is None or facts.severity in severities
    if severities is None:
        sentence = "any severity is selected"
    elif ok:
        sentence = f"{seen} is selected"
    else:
        sentence = f"{seen} is not {' or '.join(map(str.capitalize, severities))}"
    return CriterionTrace("Severity", ok, sentence)


def query_criterion(facts: Facts, root: Node) -> CriterionTrace:
    reasons = list(dict.fromkeys(_reasons(facts, root)))
    sentence = ", ".join(reasons[:MAX_REASONS]) or "any tag or attribute is selected"
    if more := len(reasons[MAX_REASONS:]):
        sentence += f" and {more} more"
    return CriterionTrace("Tags", compile_predicate(root)(facts), sentence)


def _reasons(facts: Facts, node: Node, *, excluded: bool = False) -> Iterator[str]:
    """What makes the node true or false of the finding; `excluded`: it stands under a `-`."""
    match node:
        case Term():
            yield _about(facts, node, excluded=excluded)
        case Not(inner):
            yield from _reasons(facts, inner, excluded=not excluded)
        case Or(nodes) if not compile_predicate(node)(facts) and (field := _one_field(nodes)):
            yield _lacks(facts, field, nodes)
        case And(nodes) | Or(nodes):
            # A true AND and a false OR are so because of all parts, the others because of some.
            holds = compile_predicate(node)(facts)
            for inner in nodes:
                if compile_predicate(inner)(facts) is holds:
                    yield from _reasons(facts, inner, excluded=excluded)


def _one_field(nodes: Sequence[Node]) -> Field | None:
    fields = {inner.field if isinstance(inner, Term) else None for inner in nodes}
    return fields.pop() if len(fields) == 1 else None


def _about(facts: Facts, term: Term, *, excluded: bool) -> str:
    if not compile_predicate(term)(facts):
        return _lacks(facts, term.field, (term,))
    asked, verb = _clipped(write(term)), "excluded" if excluded else "selected"
    if term.field.root is Root.TEXT:
        return f"{asked} is {'excluded' if excluded else 'in the text'}"
    if isinstance(term.matcher, Exact):
        return f"{asked} is {verb}"
    accepts = test(term.matcher)
    value = next(value for value in values(facts, term.field) if accepts(value))
    return f"{_shown(term.field, value)} is {verb} by {asked}"


def _lacks(facts: Facts, field: Field, alternatives: Sequence[Node]) -> str:
    """Each alternative asks of this one field what none of its values is."""
    asked = _some([write(node) for node in alternatives], "or")
    if field.root is Root.TEXT:
        return f"{asked} is not in the text"
    seen = [_shown(field, value) for value in values(facts, field)]
    if not seen:
        return f"no {field.root.value} matches {asked}"
    return f"{_some(seen, 'and')} {'is' if len(seen) == 1 else 'are'} not {asked}"


def _some(parts: Sequence[str], word: str) -> str:
    """`a or b or 4 more`."""
    shown = [_clipped(part) for part in parts[:MAX_VALUES]]
    if more := len(parts[MAX_VALUES:]):
        shown.append(f"{more} more")
    return f" {word} ".join(shown)


def _clipped(text: str) -> str:
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def _shown(field: Field, value: Value) -> str:
    match value:
        case str():
            text = value
        case Decimal():
            text = number_text(value)
        case datetime():
            text = value.isoformat()
        case Structure():
            text = "{…}"
    return f"@{field.name}:{text}" if field.root is Root.ATTRIBUTE else f"{field.name}:{text}"
