"""What a rule would have done: the last 30 days through the real engine, at its real place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from automation.engine.rules import RuleSpec
from automation.kinds.ticket_creation.tickets import draft_of, text_of_group
from automation.preview_findings import Grouping, look
from automation.preview_groups import (
    GroupingChoice,
    PreviewGroup,
    compare_groupings,
    groupings_of,
    in_order,
    largest_groups,
    simulate,
    simulation_of,
)
from automation.simulation import Took
from config.lib.statement_timeout import SECONDS, statement_timeout
from config.lib.utc import midnight
from findings.columnar.pinned import pinned
from findings.explorer.newest import Groups
from findings.models import Finding
from ticketing.drafts import Draft

DAYS = 30
SAMPLE = 4


@dataclass(frozen=True, slots=True)
class PreviewDay:
    day: date
    tickets: int
    over_limit: int


@dataclass(frozen=True, slots=True)
class Preview:
    """`matched` = `ticketed` + `joined` + all of `taken` + `over_limit`."""

    matched: int
    ticketed: int
    joined: int  # an open ticket of their group
    over_limit: int
    taken: Mapping[int, int]  # number of an earlier rule (from 1) → findings it takes first
    days: Sequence[PreviewDay]  # oldest first, `DAYS` of them
    sample: Sequence[Finding]
    groups: Sequence[PreviewGroup]  # the largest, of a rule that groups
    choices: Sequence[GroupingChoice]  # the rule's own grouping first
    draft: Draft | None  # the ticket for the largest group, or the first of the sample
    is_cut: bool  # there was more to look at than is looked at, or than there was time for

    @property
    def peak(self) -> int:
        return max((day.tickets + day.over_limit for day in self.days), default=0)

    @property
    def is_grouped(self) -> bool:
        return bool(self.choices[0].fields)

    @property
    def over_limit_each(self) -> int:
        """How many would be over the limit with one ticket for each finding."""
        each = next(choice for choice in self.choices if not choice.fields)
        return each.over_limit if self.is_grouped else 0


def preview(spec: RuleSpec, *, before: Sequence[RuleSpec], now: datetime | None = None) -> Preview:
    """Run `spec`, placed after the rules `before`, over the findings of the last 30 days.

    Raises QueryError for a query that is none, QueryTimeout if the database takes too long. Rows
    are read for SECONDS, and what was seen then counts. A finding counts on the UTC day it opened.
    """
    with pinned(), statement_timeout(2 * SECONDS):
        return _preview(spec, before=before, now=now or timezone.now())


def first_day(now: datetime) -> datetime:
    """The beginning of the last `DAYS`, today among them."""
    return midnight(now - timedelta(days=DAYS - 1))


def _preview(spec: RuleSpec, *, before: Sequence[RuleSpec], now: datetime) -> Preview:
    since = first_day(now)
    own, groupings = len(before), groupings_of(spec.action)
    looked = look(
        [[*before, spec]],
        lambda rule: groupings if rule is spec else (),
        since=since,
        of=spec,
    )
    taken = Counter(winner + 1 for winner in looked.winners[0] if winner not in (-1, own))
    coming = looked.of_rule(own)
    simulations = {each: simulate(spec.action, coming, each) for each in groupings}
    made = simulations[spec.action.grouping]
    used, over = made.used, made.over
    groups = largest_groups(spec, coming, write=text_of_group) if spec.action.grouping else ()
    rows = in_order(looked.pks[: -SAMPLE - 1 : -1])
    return Preview(
        matched=len(looked.pks),
        ticketed=used.total(),
        joined=made.joined,
        over_limit=over.total(),
        taken=dict(sorted(taken.items())),
        days=[
            PreviewDay(day, used[day], over[day])
            for day in (since.date() + timedelta(days=n) for n in range(DAYS))
        ],
        sample=rows,
        groups=groups,
        choices=compare_groupings(coming, simulations),
        draft=_draft(spec, rows, groups),
        is_cut=looked.is_cut,
    )


def _draft(
    spec: RuleSpec, sample: Sequence[Finding], groups: Sequence[PreviewGroup]
) -> Draft | None:
    if groups:
        return groups[0].draft
    if not sample:
        return None
    return draft_of(spec, sample[0].facts, made_by=f"Created by the rule “{spec.name}”.")


@dataclass(frozen=True, slots=True)
class Effect:
    """What other rules would have done with the last 30 days, by the rules' ids.

    Each finding counts once: it has its ticket from the same rule or from another, gets one or
    has none any more.
    """

    findings: int
    stayed: int
    made: Mapping[str, int]  # by the rule that would have made it
    dropped: Mapping[str, int]  # by the rule that made it
    moved: Mapping[tuple[str, str], int]  # from, to
    is_cut: bool


def effect_of(
    before: Sequence[RuleSpec], after: Sequence[RuleSpec], *, now: datetime | None = None
) -> Effect:
    """Run both lists over the findings of the last 30 days, each rule within its daily limit.

    Of one day's findings those that opened first get the tickets, as in life.
    """
    since = first_day(now or timezone.now())
    with pinned():
        looked = look([before, after], lambda rule: [rule.action.grouping], since=since)
    was, would_be = _Tickets(before, looked.groups), _Tickets(after, looked.groups)
    tickets: Counter[tuple[str | None, str | None]] = Counter()
    rows = zip(looked.opened, looked.gone, *looked.winners, strict=True)
    for nth, (opened, gone, one, other) in enumerate(rows):
        had, has = was.take(one, nth, opened, gone), would_be.take(other, nth, opened, gone)
        tickets[had, has] += 1
    return _tally(tickets, is_cut=looked.is_cut)


class _Tickets:
    """Who gets a ticket: each rule's first findings of each day, or of each group."""

    def __init__(self, specs: Sequence[RuleSpec], groups: Mapping[Grouping, Groups]) -> None:
        self._ids = [spec.id for spec in specs]
        self._rules = [simulation_of(spec.action) for spec in specs]
        self._groups = [groups.get(spec.action.grouping) for spec in specs]

    def take(self, winner: int, nth: int, opened: int, gone: int) -> str | None:
        """The id of the rule that the finding has a ticket from, its own or its group's."""
        if winner < 0:
            return None
        groups = self._groups[winner]
        group = groups.numbers[nth] if groups else None
        is_over = self._rules[winner].take(opened, gone, group) is Took.OVER_LIMIT
        return None if is_over else self._ids[winner]


def _tally(tickets: Mapping[tuple[str | None, str | None], int], *, is_cut: bool) -> Effect:
    made: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    moved: Counter[tuple[str, str]] = Counter()
    stayed = 0
    for (was, would_be), number in tickets.items():
        if was is None and would_be is not None:
            made[would_be] += number
        elif was is not None and would_be is None:
            dropped[was] += number
        elif was is not None and would_be is not None and was != would_be:
            moved[was, would_be] += number
        elif was is not None:
            stayed += number
    return Effect(sum(tickets.values()), stayed, made, dropped, moved, is_cut)
