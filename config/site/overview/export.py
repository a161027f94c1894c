"""Each card of the page as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf

from config.site.overview.ages import BUCKETS, ages
from config.site.overview.limits import limit_use
from config.site.overview.pipeline import pipeline
from config.site.overview.rules import over_limit_today, rules_in_order, today
from config.site.overview.severities import open_by_severity
from config.site.overview.span import Span
from config.site.overview.tickets import ticket_days
from config.site.overview.trends import Trends
from findings.trends.day_counts import DayCounts

Row = Sequence[object]


def _counts(span: Span, by: str) -> DayCounts:
    """However many days have changed: who wants a file waits."""
    return DayCounts(since=span.first_before, by=by, live_days=inf)


def _days(span: Span, by: str) -> Iterator[Row]:
    counts = _counts(span, by)
    open_now = sum(row.open for row in open_by_severity(counts))
    charts = Trends(counts, span, open_now=open_now).charts
    yield ("Day", *(chart.title for chart in charts))
    for bars in zip(*(chart.bars for chart in charts), strict=True):
        yield (bars[0].day, *(bar.number for bar in bars))


def _ages(span: Span, by: str) -> Iterator[Row]:
    buckets = [f"Open {bucket.label}" for bucket in BUCKETS]
    took = ("Fixed", "Median hours to fix", "p90 hours to fix", "Overdue")
    yield (by.capitalize(), "Open", *buckets, "Median age in days", *took)
    for row in ages(_counts(span, by), span).rows:
        numbers = {part.bucket: part.number for part in row.parts}
        yield (
            *(row.label, row.open, *(numbers.get(bucket, 0) for bucket in BUCKETS)),
            *(row.median_age, row.fixed, row.median_hours, row.p90_hours, row.overdue),
        )


def _limits(span: Span, by: str) -> Iterator[Row]:
    uses = limit_use(rules_in_order())
    yield ("Rule", "Limit", "Fullest day", "Tickets", "At its limit")
    for use in uses:
        for week in use.weeks:
            yield (use.rule.name, use.limit, week.day, week.ticketed, week.is_full)


def _severities(span: Span, by: str) -> Iterator[Row]:
    yield ("Severity", "Open", "Open with a ticket")
    for row in open_by_severity(_counts(span, by)):
        yield (row.severity, row.open, row.ticketed)


def _rules(span: Span, by: str) -> Iterator[Row]:
    yield ("Rule", "Tickets today", "Limit", "Enabled")
    for row in today(rules_in_order(), over_limit_today()).rules:
        yield (row.rule.name, row.usage.ticketed, row.limit, row.rule.enabled)


def _tickets(span: Span, by: str) -> Iterator[Row]:
    yield ("Day", "Automated", "Manual")
    for day in ticket_days(span.first, span.last):
        yield (day.day, day.automated, day.manual)


def _pipeline(span: Span, by: str) -> Iterator[Row]:
    yield ("Last 24 h", "Evaluations")
    for step in pipeline().steps:
        yield (step.label, step.number)


CARDS: Mapping[str, Callable[[Span, str], Iterator[Row]]] = {
    "days": _days,
    "ages": _ages,
    "limits": _limits,
    "rules": _rules,
    "severities": _severities,
    "tickets": _tickets,
    "pipeline": _pipeline,
}


def table_of(card: str, span: Span, *, by: str) -> Iterator[list[str]]:
    """Heading and rows, as they are written."""
    for row in CARDS[card](span, by):
        yield ["" if cell is None else str(cell) for cell in row]
