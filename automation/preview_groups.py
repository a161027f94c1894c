"""What grouping would make of the findings that come to a rule, and how the choices compare."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from automation.engine.rules import RuleSpec
from automation.preview_findings import Grouping, Looked
from automation.simulation import Simulation
from findings.models import Finding
from findings.packages import fix_of
from ticketing.drafts import Draft
from ticketing.group_text import Group, Member, number, repository, subject
from ticketing.groups import members_of
from ticketing.models import MAX_FINDINGS_OF_GROUP

OFFERED: Sequence[tuple[str, ...]] = ((), ("package",), ("vulnerability",), ("resource",))
"""The groupings that the editor compares; none: a ticket for each finding."""
SHOWN = 4


@dataclass(frozen=True, slots=True)
class GroupingChoice:
    """One ticket for each …: what it would have come to."""

    fields: Grouping
    findings: int  # that come to the rule
    tickets: int
    over_limit: int
    alone: int  # that lack one of the fields
    largest: str  # values of the largest group
    largest_size: int


@dataclass(frozen=True, slots=True)
class PreviewGroup:
    severity: str  # of its worst finding
    title: str
    spread: str  # "4 repositories"
    size: int
    draft: Draft | None = None  # of the largest


def groupings_of(action: Any) -> Sequence[Grouping]:
    """The rule's own, and those that it is compared with."""
    return list(dict.fromkeys((action.grouping, *OFFERED)))


def simulation_of(action: Any) -> Simulation:
    return Simulation(action.max_tickets_per_day, reopens_closed=bool(action.reopens_closed))


def simulate(action: Any, coming: Looked, grouping: Grouping) -> Simulation:
    """What becomes of the findings that come to a rule, one ticket for each of these groups."""
    made = simulation_of(action)
    numbers = coming.groups[grouping].numbers if grouping else repeat(None)
    for opened, gone, group in zip(coming.opened, coming.gone, numbers, strict=False):
        made.take(opened, gone, group)
    return made


def compare_groupings(
    coming: Looked, simulations: Mapping[Grouping, Simulation]
) -> list[GroupingChoice]:
    """By what each of these groupings would have made of them."""
    return [_choice(coming, grouping, each) for grouping, each in simulations.items()]


def _choice(coming: Looked, grouping: Grouping, made: Simulation) -> GroupingChoice:
    groups = coming.groups.get(grouping)
    sizes = Counter(groups.numbers if groups else ())
    alone = sizes.pop(None, 0)
    largest, size = sizes.most_common(1)[0] if sizes else (None, 0)
    return GroupingChoice(
        fields=grouping,
        findings=len(coming.pks),
        tickets=made.used.total(),
        over_limit=made.over.total(),
        alone=alone,
        largest=" · ".join(groups.values(largest)) if groups and largest is not None else "",
        largest_size=size,
    )


Write = Callable[[RuleSpec, Group, Sequence[Member]], Draft]


def largest_groups(spec: RuleSpec, coming: Looked, *, write: Write) -> list[PreviewGroup]:
    """The first with the ticket that `write` makes for it; of equal ones those that began first.
    One statement for all of them."""
    groups = coming.groups[spec.action.grouping]
    members: dict[int, list[int]] = defaultdict(list)
    for pk, nth in zip(coming.pks, groups.numbers, strict=True):
        if nth is not None:
            members[nth].append(pk)
    largest = sorted(members, key=lambda nth: (-len(members[nth]), nth))[:SHOWN]
    wanted = [pk for nth in largest for pk in members[nth][:MAX_FINDINGS_OF_GROUP]]
    rows = {
        row.pk: row for row in Finding.objects.filter(pk__in=wanted).select_related("evaluation")
    }
    return [
        _group(
            spec,
            groups.values(nth),
            [rows[pk] for pk in members[nth] if pk in rows],
            size=len(members[nth]),
            write=write if nth == largest[0] else None,
        )
        for nth in largest
    ]


def _group(
    spec: RuleSpec,
    values: Sequence[str],
    rows: Sequence[Finding],
    *,
    size: int,
    write: Write | None,
) -> PreviewGroup:
    group = Group(spec.action.grouping, values, spec.name)
    members = members_of(rows)
    facts = [member.facts for member in members]
    repositories = {repository(each) for each in facts} - {""}
    return PreviewGroup(
        severity=facts[0].severity,
        title=subject(group, facts, fix_of(facts)),
        spread=number(len(repositories), "repository") if repositories else "",
        size=size,
        draft=write(spec, group, members) if write else None,
    )


def in_order(pks: Sequence[int]) -> list[Finding]:
    rows = Finding.objects.filter(pk__in=pks).select_related("evaluation")
    return sorted(rows, key=lambda row: pks.index(row.pk))
