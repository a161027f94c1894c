"""What putting a file in force would change, and what that would have done."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from automation.kinds.registry import KINDS
from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule
from automation.preview import Effect, effect_of
from automation.rule_file.actions import Entry
from automation.rule_file.document import Fault, RuleFileError
from automation.rule_file.formats import FORMATS
from automation.rule_file.parse import RuleFile
from automation.rule_file.serialize import members_of_rules
from automation.rules.data import RuleData, data_of, rule_spec, spec_of
from automation.rules.default_rows import default_specs
from automation.rules.names import name_key
from automation.rules.services import current_version

TargetRules = Sequence[tuple[UUID, RuleData]]


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
class KindPlan:
    """What the file says of one kind of rules."""

    kind: str
    version: int  # of the rules it was made for
    wanted: TargetRules
    changed: Mapping[UUID, RuleData]  # those of `wanted` that are new or edited
    changes: Sequence[Change]
    order: Sequence[str]  # the names in the new order, if those that stay change places

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.order)


class Switch(NamedTuple):
    """A rule that comes with the product and is to be `enabled` or disabled."""

    kind: str
    id: str
    name: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class Plan:
    kinds: Sequence[KindPlan]  # those that the file names
    switches: Sequence[Switch]
    effect: Effect | None  # of the ticket rules; None: nothing of them changes
    names: Mapping[str, str]  # ticket rules' id → name, of those there are and those there will be
    warnings: Sequence[Fault]

    @property
    def is_empty(self) -> bool:
        return not self.changed_kinds

    @property
    def changed_kinds(self) -> Sequence[str]:
        changed = {plan.kind for plan in self.kinds if not plan.is_empty}
        changed |= {switch.kind for switch in self.switches}
        return [kind for kind in KINDS if kind in changed]

    @property
    def changed(self) -> Mapping[UUID, RuleData]:
        return {pk: data for plan in self.kinds for pk, data in plan.changed.items()}

    @property
    def rechecks(self) -> bool:
        """Whether open findings are looked at again."""
        return any(KINDS[kind].acts_on_existing for kind in self.changed_kinds)


def plan_rules(file: RuleFile) -> Plan:
    """Compare the file with the rules there are. Raises RuleFileError for an id of another kind."""
    entries = file.rules
    versions = {kind: current_version(kind) for kind in entries}
    rules: dict[str, list[Rule]] = {kind: [] for kind in entries}
    _check_kinds(entries)
    for rule in Rule.objects.filter(kind__in=entries):
        rules[rule.kind].append(rule)
    plans = [_plan(kind, versions[kind], rules[kind], listed) for kind, listed in entries.items()]
    tickets = next((plan for plan in plans if plan.kind == NAME and not plan.is_empty), None)
    there = rules.get(NAME, [])
    return Plan(
        kinds=plans,
        switches=[*_switches(file)],
        effect=_effect(there, tickets.wanted) if tickets else None,
        names={str(rule.pk): rule.name for rule in there}
        | {str(pk): data.name for pk, data in (tickets.wanted if tickets else ())},
        warnings=sorted(
            warning
            for kind, listed in entries.items()
            for warning in FORMATS[kind].warnings(listed)
        ),
    )


def _switches(file: RuleFile) -> Iterator[Switch]:
    for kind, switched_on in file.defaults.items():
        for spec in default_specs(KINDS[kind]):
            if spec.enabled != (spec.id in switched_on):
                yield Switch(kind, spec.id, spec.name, not spec.enabled)


def _check_kinds(entries: Mapping[str, Sequence[Entry]]) -> None:
    """An id is that of one rule, whatever its kind."""
    wanted = {entry.id: (kind, entry) for kind, listed in entries.items() for entry in listed}
    rules = Rule.objects.filter(pk__in=[pk for pk in wanted if pk])
    faults = [
        Fault(wanted[pk][1].line, "A rule of another kind has this id.")
        for pk, kind in rules.values_list("pk", "kind")
        if wanted[pk][0] != kind
    ]
    if faults:
        raise RuleFileError(faults)


def _plan(kind: str, version: int, rules: Sequence[Rule], entries: Sequence[Entry]) -> KindPlan:
    wanted = list(zip(_ids(entries, rules), (entry.data for entry in entries), strict=True))
    there = {rule.pk: data_of(rule).meaning for rule in rules}
    return KindPlan(
        kind=kind,
        version=version,
        wanted=wanted,
        changed={pk: data for pk, data in wanted if there.get(pk) != data.meaning},
        changes=[*_changes(there, wanted)],
        order=_order(rules, wanted),
    )


def _effect(rules: Sequence[Rule], wanted: TargetRules) -> Effect:
    return effect_of([spec_of(rule) for rule in rules], [rule_spec(*each) for each in wanted])


def _ids(entries: Sequence[Entry], rules: Sequence[Rule]) -> Iterator[UUID]:
    """Which rule each entry means: by its id, else by its name; else a new one."""
    taken = {entry.id for entry in entries}
    named = {name_key(rule.name): rule.pk for rule in rules if rule.pk not in taken}
    for entry in entries:
        yield entry.id or named.get(name_key(entry.data.name)) or uuid.uuid4()


def _changes(there: Mapping[UUID, RuleData], wanted: TargetRules) -> Iterator[Change]:
    """The differences of a rule are those between what the file would say of it."""
    before = dict(zip(there, members_of_rules([*there.values()]), strict=True))
    meant = members_of_rules([data.meaning for _, data in wanted])
    after = dict(zip((pk for pk, _ in wanted), meant, strict=True))
    for number, (pk, data) in enumerate(wanted, start=1):
        if pk not in there:
            yield Change("created", number, data.name)
        elif there[pk] != data.meaning:
            yield Change("edited", number, data.name, [*_differences(before[pk], after[pk])])
    for number, (pk, data) in enumerate(there.items(), start=1):
        if pk not in after:
            yield Change("deleted", number, data.name)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in dict.fromkeys([*before, *after]):
        implied = True if name == "enabled" else None
        was, will_be = before.get(name, implied), after.get(name, implied)
        if was != will_be:
            yield FieldChange(name, was, will_be)


def _order(rules: Sequence[Rule], wanted: TargetRules) -> list[str]:
    """What is new counts only where it is not last: there it pushes others down."""
    there = {rule.pk for rule in rules}
    kept = {pk for pk, _ in wanted}
    before = [rule.pk for rule in rules if rule.pk in kept]
    after = [pk for pk, _ in wanted if pk in there]
    return [data.name for _, data in wanted] if before != after else []
