"""What grouping would make of the findings that come to a rule, and how the choices compare."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from automation.engine.rules import RuleSpec
from automation.simulation import Arrival, Simulation, key_of
from findings.facts import Facts, Status
from findings.models import Finding
from ticketing.drafts import Draft
from ticketing.group_text import Group, Member, fix_of, number, repository, subject
from ticketing.groups import members_of
from ticketing.models import MAX_FINDINGS_OF_GROUP

OFFERED: Sequence[tuple[str, ...]] = ((), ("package",), ("vulnerability",), ("resource",))
"""The groupings that the editor compares; none: a ticket for each finding."""
SHOWN = 4
Grouping = tuple[str, ...]


class Match(NamedTuple):
    """A finding that comes to the rule, and its group by each grouping."""

    pk: int
    opened_at: datetime
    gone_at: datetime | None
    groups: dict[Grouping, tuple[str, Sequence[str]] | None]

    def key(self, grouping: Grouping) -> str | None:
        found = self.groups.get(grouping)
        return found[0] if found else None


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


def match_of(
    pk: int,
    opened_at: datetime,
    resolved_at: datetime | None,
    facts: Facts,
    groupings: Iterable[Grouping],
) -> Match:
    groups = {each: key_of(each, facts) for each in groupings if each}
    return Match(pk, opened_at, gone_at(facts, resolved_at), groups)


def gone_at(facts: Facts, resolved_at: datetime | None) -> datetime | None:
    """Since when the finding is gone; None while it is there."""
    return resolved_at if Status(facts.status).is_gone else None


def simulation_of(action: Any) -> Simulation:
    return Simulation(action.max_tickets_per_day, reopens_closed=bool(action.reopens_closed))


def simulate(action: Any, matches: Sequence[Match], grouping: Grouping) -> Simulation:
    made = simulation_of(action)
    for match in matches:
        made.take(Arrival(match.opened_at, match.gone_at, match.key(grouping)))
    return made


def compare_groupings(spec: RuleSpec, matches: Sequence[Match]) -> list[GroupingChoice]:
    return [_choice(spec.action, matches, each) for each in groupings_of(spec.action)]


def _choice(action: Any, matches: Sequence[Match], grouping: Grouping) -> GroupingChoice:
    made = simulate(action, matches, grouping)
    found = [group for match in matches if (group := match.groups.get(grouping))]
    sizes = Counter(key for key, _ in found)
    largest, size = sizes.most_common(1)[0] if sizes else ("", 0)
    values = next((values for key, values in found if key == largest), ())
    return GroupingChoice(
        fields=grouping,
        findings=len(matches),
        tickets=made.used.total(),
        over_limit=made.over.total(),
        alone=len(matches) - len(found) if grouping else 0,
        largest=" · ".join(values),
        largest_size=size,
    )


Write = Callable[[RuleSpec, Group, Sequence[Member]], Draft]


def largest_groups(spec: RuleSpec, matches: Sequence[Match], *, write: Write) -> list[PreviewGroup]:
    """The first with the ticket that `write` makes for it. One statement for all of them."""
    grouping = spec.action.grouping
    members: dict[str, list[int]] = defaultdict(list)
    values: dict[str, Sequence[str]] = {}
    for match in matches:
        if group := match.groups.get(grouping):
            members[group[0]].append(match.pk)
            values[group[0]] = group[1]
    keys = sorted(members, key=lambda key: (-len(members[key]), key))[:SHOWN]
    wanted = [pk for key in keys for pk in members[key][:MAX_FINDINGS_OF_GROUP]]
    rows = {row.pk: row for row in Finding.objects.filter(pk__in=wanted)}
    return [
        _group(
            spec,
            values[key],
            [rows[pk] for pk in members[key] if pk in rows],
            size=len(members[key]),
            write=write if nth == 0 else None,
        )
        for nth, key in enumerate(keys)
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
    return sorted(Finding.objects.filter(pk__in=pks), key=lambda row: pks.index(row.pk))
