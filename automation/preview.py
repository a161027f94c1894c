"""What a rule would have done: the last 30 days through the real engine, at its real place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from time import monotonic

from django.utils import timezone

from automation.engine.compile import compile_rules
from automation.engine.rules import RuleSpec
from automation.kinds.ticket_creation.tickets import draft_of, text_of_group
from automation.preview_groups import (
    GroupingChoice,
    Match,
    PreviewGroup,
    compare_groupings,
    gone_at,
    groupings_of,
    in_order,
    largest_groups,
    match_of,
    simulate,
    simulation_of,
)
from automation.simulation import Arrival, Took, key_of
from config.lib.statement_timeout import SECONDS, statement_timeout
from config.lib.utc import midnight
from findings.facts import Facts
from findings.models import Finding
from findings.query.parse import parse_rule_query
from findings.query.sql import condition
from ticketing.drafts import Draft

DAYS = 30
SAMPLE = 4
MAX_FINDINGS = 100_000  # beyond it the preview says that it looked at the newest ones only


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
    is_cut: bool  # there was more than `MAX_FINDINGS`, or than there was time, to look at

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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one pass over the findings tells."""

    matches: Sequence[Match]  # those that come to the rule, in the order in which they opened
    taken: Mapping[int, int]
    sample: Sequence[int]
    number: int
    is_cut: bool


def preview(spec: RuleSpec, *, before: Sequence[RuleSpec], now: datetime | None = None) -> Preview:
    """Run `spec`, placed after the rules `before`, over the findings of the last 30 days.

    Raises QueryError for a query that is none, QueryTimeout if the database takes too long. The
    engine stops after SECONDS, with what it has seen. A finding counts on the UTC day it opened.
    """
    with statement_timeout(2 * SECONDS):
        return _preview(spec, before=before, now=now or timezone.now())


def first_day(now: datetime) -> datetime:
    """The beginning of the last `DAYS`, today among them."""
    return midnight(now - timedelta(days=DAYS - 1))


def _preview(spec: RuleSpec, *, before: Sequence[RuleSpec], now: datetime) -> Preview:
    since = first_day(now)
    seen = _look(spec, before, since=since)
    action = spec.action
    made = simulate(action, seen.matches, action.grouping)
    groups = largest_groups(spec, seen.matches, write=text_of_group) if action.grouping else ()
    rows = in_order(seen.sample)
    return Preview(
        matched=seen.number,
        ticketed=made.used.total(),
        joined=made.joined,
        over_limit=made.over.total(),
        taken=dict(sorted(seen.taken.items())),
        days=[
            PreviewDay(day, made.used[day], made.over[day])
            for day in (since.date() + timedelta(days=n) for n in range(DAYS))
        ],
        sample=rows,
        groups=groups,
        choices=compare_groupings(spec, seen.matches),
        draft=_draft(spec, rows, groups),
        is_cut=seen.is_cut,
    )


def _look(spec: RuleSpec, before: Sequence[RuleSpec], *, since: datetime) -> _Seen:
    ends = monotonic() + SECONDS
    own, compiled = len(before), compile_rules([*before, spec])
    groupings = groupings_of(spec.action)
    newest_first = (
        Finding.objects.filter(
            condition(parse_rule_query(spec.query).root),
            finding_type__in=spec.finding_types,
            opened_at__gte=since,
        )
        .order_by("-opened_at", "-id")
        .values_list("pk", "opened_at", "resolved_at", *Facts._fields)
    )
    taken: Counter[int] = Counter()
    matches: list[Match] = []
    sample: list[int] = []
    seen, in_time = 0, True
    for pk, opened_at, resolved_at, *row in islice(newest_first.iterator(2_000), MAX_FINDINGS):
        seen += 1
        facts = Facts._make(row)
        winner = compiled.first_match(facts)
        if winner == own:
            matches.append(match_of(pk, opened_at, resolved_at, facts, groupings))
        elif winner is not None:
            taken[winner + 1] += 1
        if len(sample) < SAMPLE:
            sample.append(pk)
        if not (in_time := monotonic() < ends):
            break
    return _Seen(matches[::-1], taken, sample, seen, seen == MAX_FINDINGS or not in_time)


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
    now = now or timezone.now()
    since = first_day(now)
    old, new = compile_rules(before), compile_rules(after)
    rows = (
        Finding.objects.filter(opened_at__gte=since)
        .order_by("-opened_at", "-id")
        .values_list("opened_at", "resolved_at", *Facts._fields)[:MAX_FINDINGS]
    )
    was, would_be = _Tickets(before), _Tickets(after)
    seen: list[tuple[_Comes, _Comes]] = []
    for opened_at, resolved_at, *row in rows.iterator(chunk_size=2_000):
        facts = Facts._make(row)
        when = (opened_at, gone_at(facts, resolved_at))
        seen.append(
            (
                was.comes(old.first_match(facts), facts, *when),
                would_be.comes(new.first_match(facts), facts, *when),
            )
        )
    tickets = Counter((was.take(one), would_be.take(other)) for one, other in reversed(seen))
    return _tally(tickets, is_cut=len(seen) == MAX_FINDINGS)


_Comes = tuple[int, Arrival] | None
"""To which rule a finding comes, by its place in the list, and when."""


class _Tickets:
    """Who gets a ticket: each rule's first findings of each day, or of each group."""

    def __init__(self, specs: Sequence[RuleSpec]) -> None:
        self._specs = specs
        self._rules = [simulation_of(spec.action) for spec in specs]

    def comes(
        self, index: int | None, facts: Facts, opened_at: datetime, gone_at: datetime | None
    ) -> _Comes:
        if index is None:
            return None
        found = key_of(self._specs[index].action.grouping, facts)
        return index, Arrival(opened_at, gone_at, found[0] if found else None)

    def take(self, comes: _Comes) -> str | None:
        """The id of the rule that the finding has a ticket from, its own or its group's."""
        if comes is None:
            return None
        index, arrival = comes
        is_over = self._rules[index].take(arrival) is Took.OVER_LIMIT
        return None if is_over else self._specs[index].id


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
