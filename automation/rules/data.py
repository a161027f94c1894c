"""What a rule says, and what it may say; to and from JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from automation.engine.rules import RuleSpec
from automation.kinds.base import Problem
from automation.kinds.registry import KINDS, kind_of
from automation.models import Rule
from config.lib.echo import cut
from findings.facts import FindingType
from findings.query.ast import QueryError
from findings.query.cost import MAX_COST
from findings.query.parse import parse_rule_query

CANNOT_BE_READ = "What was stored of it cannot be read."
MAX_NAME = 255
MAX_QUERY = 30_000


class InvalidRule(ValueError):
    """What is wrong with a rule, by field. `position` is where in the query, or else in the
    text of a field, from 0."""

    def __init__(self, errors: dict[str, str], *, position: int | None = None) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors
        self.position = position


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleData:
    """What a person or a client says of a rule: criteria, and an action of one of the kinds."""

    name: str
    finding_types: Sequence[str]
    action: Any
    query: str | None = None  # None and "" ask for nothing alike; each is echoed as it was sent
    enabled: bool = True

    @property
    def meaning(self) -> RuleData:
        """The same rule, said in the one way in which two of them compare."""
        types = tuple(dict.fromkeys(self.finding_types))
        return replace(self, query=self.query or "", finding_types=types)

    @property
    def kind(self) -> str:
        return kind_of(self.action).name


def action_of(rule: Rule) -> Any:
    """The rule's action as the Struct of its kind. Raises InvalidRule where what is stored cannot
    be read."""
    try:
        return KINDS[rule.kind].read(rule.action)
    except UNREADABLE as error:
        raise InvalidRule({"action": CANNOT_BE_READ}) from error


def known_action(rule: Rule) -> Any:
    """The same; None where what is stored cannot be read."""
    try:
        return action_of(rule)
    except InvalidRule:
        return None


def data_of(rule: Rule) -> RuleData:
    """What was said of the rule, as it would be said again. Raises InvalidRule as `action_of`."""
    return RuleData(
        name=rule.name,
        finding_types=rule.finding_types,
        query=rule.query,
        action=action_of(rule),
        enabled=rule.enabled,
    )


def spec_of(rule: Rule) -> RuleSpec:
    """A stored rule as the engine knows it; one that cannot be read is broken."""
    try:
        spec = rule_spec(rule.pk, data_of(rule))
    except InvalidRule:
        return unreadable_spec(str(rule.pk), rule.name)
    return replace(spec, auto_disabled_reason=rule.auto_disabled_reason)


def unreadable_spec(pk: str, name: str, *, is_default: bool = False) -> RuleSpec:
    """Stands for a rule that cannot be read. It matches nothing, and stops none of the others."""
    return RuleSpec(
        id=pk,
        name=name,
        enabled=False,
        finding_types=(),
        query="",
        auto_disabled_reason=CANNOT_BE_READ,
        is_default=is_default,
    )


def rule_spec(pk: UUID, data: RuleData) -> RuleSpec:
    """The rule as the engine would know it."""
    return RuleSpec(
        id=str(pk),
        name=data.name,
        enabled=data.enabled,
        finding_types=tuple(data.finding_types),
        query=data.query or "",
        action=data.action,
    )


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """One element of `RuleSetVersion.rules`; of a rule that cannot be read, what is stored."""
    spec = spec_of(rule)
    if spec.action is not None:
        return spec_to_json(spec)
    names = ("name", "enabled", "finding_types", "query", "action", "auto_disabled_reason")
    return {"id": str(rule.pk), **{name: getattr(rule, name) for name in names}}


def spec_to_json(spec: RuleSpec) -> dict[str, Any]:
    """One element of `RuleSetVersion.rules`."""
    default = {"is_default": True} if spec.is_default else {}
    return default | {
        "id": spec.id,
        "name": spec.name,
        "enabled": spec.enabled,
        "finding_types": list(spec.finding_types),
        "query": spec.query,
        "action": kind_of(spec.action).write(spec.action),
        "auto_disabled_reason": spec.auto_disabled_reason,
    }


def spec_from_json(kind: str, stored: Mapping[str, Any]) -> RuleSpec:
    """The rule in one element of `RuleSetVersion.rules`.

    Until there was more than one kind an action's members stood beside the criteria. Raises
    KeyError or msgspec.ValidationError for what cannot be read.
    """
    return RuleSpec(
        id=stored["id"],
        name=stored["name"],
        enabled=stored["enabled"],
        finding_types=tuple(stored["finding_types"]),
        query=stored["query"],
        action=KINDS[kind].read(stored.get("action", stored)),
        auto_disabled_reason=stored.get("auto_disabled_reason", ""),
        is_default=stored.get("is_default", False),
    )


UNREADABLE = (KeyError, TypeError, msgspec.ValidationError)
"""What `spec_from_json` raises for what is not a rule."""


def validate(data: RuleData) -> None:
    """Raise InvalidRule with every field that is wrong."""
    problems = {problem.field: problem for problem in reversed([*_problems(data)])}
    if not problems:
        return
    positions = (problems[name].position for name in ("query", *problems) if name in problems)
    position = next((each for each in positions if each is not None), None)
    errors = {problem.field: problem.sentence for problem in reversed(problems.values())}
    raise InvalidRule(errors, position=position)


def _problems(data: RuleData) -> Iterator[Problem]:
    kind = kind_of(data.action)
    if not data.name.strip() or len(data.name) > MAX_NAME:
        yield Problem("name", f"Enter a rule name of 1 to {MAX_NAME} characters.")
    if not data.finding_types:
        yield Problem("finding_types", "Select at least one finding type.")
    elif unknown := [t for t in data.finding_types if t not in set(FindingType)]:
        sentence = (
            f"“{cut(unknown[0])}” is not a finding type. These are: {', '.join(FindingType)}."
        )
        yield Problem("finding_types", sentence)
    try:
        parse_rule_query(data.query or "", budget=MAX_COST, refused=kind.not_in_query)
    except QueryError as error:
        yield Problem("query", error.message, error.position)
    yield from kind.problems(data.action, finding_types=data.finding_types, query=data.query or "")
