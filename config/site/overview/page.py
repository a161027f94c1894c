"""All of the page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from config.site.grouping_advice import grouping_advice
from config.site.overview.ages import BUCKETS, ages
from config.site.overview.broken import broken
from config.site.overview.limits import WEEKS, limit_use
from config.site.overview.pipeline import pipeline
from config.site.overview.rules import over_limit_today, rules_in_order, today
from config.site.overview.severities import open_by_severity
from config.site.overview.span import RANGES, Span
from config.site.overview.speed import speed
from config.site.overview.tickets import ticket_days
from config.site.overview.trends import Trends
from findings.models import DailyCount
from findings.trends.day_counts import DayCounts

CHART_DAYS = 7  # of tickets, at least


def overview_page(span: Span, *, by: str) -> dict[str, Any]:
    counts = DayCounts(since=span.first_before, by=by)
    rules, over_limit = rules_in_order(), over_limit_today()
    severities = open_by_severity(counts)
    steps = pipeline()
    open_now = sum(row.open for row in severities)
    trends = Trends(counts, span, open_now=open_now)
    first = min(span.first, span.last - timedelta(days=CHART_DAYS - 1))
    return {
        "ranges": [(slug, label) for slug, (label, _) in RANGES.items()],
        "span": span,
        "is_fresh": not (rules or open_now or steps.evaluations or counts.uncounted),
        "counts": counts,
        "broken": broken(rules),
        "advice": grouping_advice(rules, over_limit),
        "coverage": trends.coverage,
        "today": today(rules, over_limit),
        "speed": speed(span.first),
        "charts": trends.charts,
        "ages": ages(counts, span),
        "by_choices": DailyCount.By.choices,
        "buckets": BUCKETS,
        "limits": limit_use(rules),
        "weeks": WEEKS,
        "severities": severities,
        "days": ticket_days(first, span.last),
        "pipeline": steps,
    }
