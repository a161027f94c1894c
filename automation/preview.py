"""What a rule would have done: the last 30 days through the real engine, at its real place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from django.utils import timezone

from automation.engine.compile import compile_rules
from automation.engine.rules import RuleSpec
from automation.tickets import draft_of
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
    is_cut: bool  # more findings than `MAX_FINDINGS` were there to look at

    @property
    def peak(self) -> int:
        return max((day.tickets + day.over_limit for day in self.days), default=0)


def preview(spec: RuleSpec, *, before: Sequence[RuleSpec], now: datetime | None = None) -> Preview:
    """Run `spec`, placed after the rules `before`, over the findings of the last 30 days.

    Raises QueryError for a query that is none. A finding counts on the UTC day it opened.
    """
    now = now or timezone.now()
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
    seen = 0
    for pk, opened_at, *row in islice(newest_first.iterator(chunk_size=2_000), MAX_FINDINGS):
        seen += 1
        winner = compiled.first_match(Facts._make(row))
        if winner == own:
            wanted[opened_at.date()] += 1
        elif winner is not None:
            taken[winner + 1] += 1
        if len(sample) < SAMPLE:
            sample.append(pk)
    limit = spec.max_tickets_per_day
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
        is_cut=seen == MAX_FINDINGS,
    )
