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
from automation.kinds.ticket_creation.tickets import draft_of
from config.lib.statement_timeout import SECONDS, statement_timeout
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
    """`matched` = `ticketed` + all of `taken` + `over_limit`."""

    matched: int
    ticketed: int
    over_limit: int
    taken: Mapping[int, int]  # number of an earlier rule (from 1) → findings it takes first
    days: Sequence[PreviewDay]  # oldest first, `DAYS` of them
    sample: Sequence[Finding]
    draft: Draft | None  # the ticket for the first of the sample
    is_cut: bool  # there was more than `MAX_FINDINGS`, or than there was time, to look at

    @property
    def peak(self) -> int:
        return max((day.tickets + day.over_limit for day in self.days), default=0)


def preview(spec: RuleSpec, *, before: Sequence[RuleSpec], now: datetime | None = None) -> Preview:
    """Run `spec`, placed after the rules `before`, over the findings of the last 30 days.

    Raises QueryError for a query that is none, QueryTimeout if the database takes too long. The
    engine stops after SECONDS, with what it has seen. A finding counts on the UTC day it opened.
    """
    with statement_timeout(2 * SECONDS):
        return _preview(spec, before=before, now=now or timezone.now())


def _preview(spec: RuleSpec, *, before: Sequence[RuleSpec], now: datetime) -> Preview:
    ends = monotonic() + SECONDS
    since = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    own = len(before)
    compiled = compile_rules([*before, spec])
    newest_first = (
        Finding.objects.filter(
            condition(parse_rule_query(spec.query).root),
            finding_type__in=spec.finding_types,
            opened_at__gte=since,
        )
        .order_by("-opened_at", "-id")
        .values_list("pk", "opened_at", *Facts._fields)
    )
    taken: Counter[int] = Counter()
    wanted: Counter[date] = Counter()
    sample: list[int] = []
    seen, in_time = 0, True
    for pk, opened_at, *row in islice(newest_first.iterator(chunk_size=2_000), MAX_FINDINGS):
        seen += 1
        winner = compiled.first_match(Facts._make(row))
        if winner == own:
            wanted[opened_at.date()] += 1
        elif winner is not None:
            taken[winner + 1] += 1
        if len(sample) < SAMPLE:
            sample.append(pk)
        if not (in_time := monotonic() < ends):
            break
    limit = spec.action.max_tickets_per_day
    days = [
        PreviewDay(day, min(wanted[day], limit), max(wanted[day] - limit, 0))
        for day in (since.date() + timedelta(days=n) for n in range(DAYS))
    ]
    rows = sorted(Finding.objects.filter(pk__in=sample), key=lambda row: sample.index(row.pk))
    return Preview(
        matched=seen,
        ticketed=sum(day.tickets for day in days),
        over_limit=sum(day.over_limit for day in days),
        taken=dict(sorted(taken.items())),
        days=days,
        sample=rows,
        draft=draft_of(spec, rows[0].facts, made_by=f"Created by the rule “{spec.name}”.")
        if rows
        else None,
        is_cut=seen == MAX_FINDINGS or not in_time,
    )


@dataclass(frozen=True, slots=True)
class Effect:
    """What other rules would have done with the last 30 days, by the rules' ids.

    Each ticket counts once: it stays, moves to another rule, is made or is dropped.
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
    since = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    old, new = compile_rules(before), compile_rules(after)
    rows = (
        Finding.objects.filter(opened_at__gte=since)
        .order_by("-opened_at", "-id")
        .values_list("opened_at", *Facts._fields)[:MAX_FINDINGS]
    )
    seen: list[tuple[date, int | None, int | None]] = []
    for opened_at, *row in rows.iterator(chunk_size=2_000):
        facts = Facts._make(row)
        seen.append((opened_at.date(), old.first_match(facts), new.first_match(facts)))
    was, would_be = _Slots(before), _Slots(after)
    tickets = Counter(
        (was.take(day, first), would_be.take(day, second)) for day, first, second in reversed(seen)
    )
    return _tally(tickets, is_cut=len(seen) == MAX_FINDINGS)


class _Slots:
    """Who gets a ticket: each rule's first findings of each day."""

    def __init__(self, specs: Sequence[RuleSpec]) -> None:
        self._specs = specs
        self._used: Counter[tuple[date, int]] = Counter()

    def take(self, day: date, index: int | None) -> str | None:
        """The id of the rule that makes the ticket, if one does."""
        if index is None or self._used[day, index] >= self._specs[index].action.max_tickets_per_day:
            return None
        self._used[day, index] += 1
        return self._specs[index].id


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
