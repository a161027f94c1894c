"""What putting a file in force would change, and what that would have done."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple
from uuid import UUID

from automation.engine.rules import RuleSpec
from automation.models import Rule, RuleSet
from automation.preview import Effect, effect_of
from automation.rule_data import RuleData, data_of
from automation.rule_file.document import Fault, RuleFileError
from automation.rule_file.reading import Entry
from automation.services import current_version
from config.accounts.models import User
from ticketing.models import Project


class FieldChange(NamedTuple):
    field: str
    before: Any
    after: Any


class Change(NamedTuple):
    """One rule that is `created`, `edited` or `deleted`; `number` is its place, from 1."""

    kind: str
    number: int
    name: str
    fields: Sequence[FieldChange] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    version: int  # of the rules it was made for
    wanted: Sequence[tuple[UUID, RuleData]]
    changes: Sequence[Change]
    order: Sequence[str]  # the names in the new order, if those that stay change places
    effect: Effect | None  # None: nothing changes
    names: Mapping[str, str]  # rule id → name, of those there are and those there will be
    warnings: Sequence[Fault]

    @property
    def is_empty(self) -> bool:
        return self.effect is None


def plan_rules(entries: Sequence[Entry]) -> Plan:
    """Compare the file with the rules there are. Raises RuleFileError if a name is not clear."""
    version = current_version()
    rules = list(Rule.objects.filter(kind=RuleSet.Kind.TICKET_CREATION))
    wanted = list(zip(_ids(entries, rules), (entry.data for entry in entries), strict=True))
    changes, order = [*_changes(rules, wanted)], _order(rules, wanted)
    before, after = [rule.spec for rule in rules], [_spec(*each) for each in wanted]
    return Plan(
        version=version,
        wanted=wanted,
        changes=changes,
        order=order,
        effect=effect_of(before, after) if changes or order else None,
        names={str(rule.pk): rule.name for rule in rules}
        | {str(pk): data.name for pk, data in wanted},
        warnings=[*_warnings(entries)],
    )


def _ids(entries: Sequence[Entry], rules: Sequence[Rule]) -> Iterator[UUID]:
    """Which rule each entry means: by its id, else by its name; else a new one."""
    taken = {entry.id for entry in entries}
    named: dict[str, list[UUID]] = {}
    for rule in rules:
        if rule.pk not in taken:
            named.setdefault(rule.name, []).append(rule.pk)
    for entry in entries:
        same = [] if entry.id else named.get(entry.data.name, [])
        if len(same) > 1:
            sentence = f"{len(same)} rules have this name; give the id of the one that is meant."
            raise RuleFileError([Fault(entry.line, sentence)])
        yield entry.id or (same[0] if same else uuid.uuid4())


def _changes(rules: Sequence[Rule], wanted: Sequence[tuple[UUID, RuleData]]) -> Iterator[Change]:
    there = {rule.pk: rule for rule in rules}
    names = _Names.of([*map(data_of, rules), *(data for _, data in wanted)])
    for number, (pk, data) in enumerate(wanted, start=1):
        if pk not in there:
            yield Change("created", number, data.name)
        elif differences := names.differences(data_of(there[pk]), data):
            yield Change("edited", number, data.name, differences)
    kept = {pk for pk, _ in wanted}
    for number, rule in enumerate(rules, start=1):
        if rule.pk not in kept:
            yield Change("deleted", number, rule.name)


def _order(rules: Sequence[Rule], wanted: Sequence[tuple[UUID, RuleData]]) -> list[str]:
    """What is new counts only where it is not last: there it pushes others down."""
    there = {rule.pk for rule in rules}
    kept = {pk for pk, _ in wanted}
    before = [rule.pk for rule in rules if rule.pk in kept]
    after = [pk for pk, _ in wanted if pk in there]
    return [data.name for _, data in wanted] if before != after else []


class _Names(NamedTuple):
    """Keys of projects and addresses of people, for who reads the plan."""

    known: dict[UUID, str]

    @classmethod
    def of(cls, said: Sequence[RuleData]) -> _Names:
        projects = Project.objects.filter(pk__in={data.project_id for data in said})
        people = User.objects.filter(pk__in={data.assignee_id for data in said})
        return cls(dict([*projects.values_list("pk", "key"), *people.values_list("pk", "email")]))

    def differences(self, before: RuleData, after: RuleData) -> list[FieldChange]:
        old, new = asdict(before), asdict(after)
        return [
            FieldChange(name.removesuffix("_id"), self._shown(old[name]), self._shown(new[name]))
            for name in old
            if old[name] != new[name]
        ]

    def _shown(self, value: Any) -> Any:
        return self.known.get(value, str(value)) if isinstance(value, UUID) else value


def _warnings(entries: Sequence[Entry]) -> Iterator[Fault]:
    """What is accepted and will break the rule when it is first used."""
    projects = set(
        Project.objects.filter(pk__in={each.data.project_id for each in entries}).values_list(
            "pk", flat=True
        )
    )
    people = set(
        User.objects.filter(
            pk__in={each.data.assignee_id for each in entries}, is_active=True
        ).values_list("pk", flat=True)
    )
    for entry in entries:
        if entry.data.project_id not in projects:
            yield Fault(entry.line, "Its project does not exist: its first ticket will fail.")
        if entry.data.assignee_id and entry.data.assignee_id not in people:
            sentence = "Its assignee does not exist or is deactivated: its first ticket will fail."
            yield Fault(entry.line, sentence)


def _spec(pk: UUID, data: RuleData) -> RuleSpec:
    return RuleSpec(
        id=str(pk),
        name=data.name,
        enabled=data.enabled,
        finding_types=tuple(data.finding_types),
        query=data.query,
        target=data.target,
        project_id=str(data.project_id),
        assignee_id=str(data.assignee_id) if data.assignee_id else None,
        max_tickets_per_day=data.max_tickets_per_day,
        fields=data.fields,
    )
