"""How old what is open is, and how long what is fixed took: by severity or by team."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from config.site.overview.links import OPEN, findings
from config.site.overview.span import Span
from findings.explorer.overdue import overdue_by
from findings.facts import Severity
from findings.models import DailyCount
from findings.trends.day_counts import DayCounts

By = DailyCount.By
ROWS = 8  # teams, those with most open ones; the file has all
_ALWAYS = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)


class Bucket(NamedTuple):
    """Findings of so many whole days, the last one not included."""

    css: str
    label: str
    start: int
    end: int | None


BUCKETS = (
    Bucket("fresh", "under 7 d", 0, 7),
    Bucket("week", "7–30 d", 7, 30),
    Bucket("month", "30–90 d", 30, 90),
    Bucket("old", "over 90 d", 90, None),
)
_STARTS = [bucket.start for bucket in BUCKETS]


class Part(NamedTuple):
    """Of the bar of a row, which is 100 wide."""

    bucket: Bucket
    number: int
    href: str
    x: float
    width: float
    label: str


@dataclass(frozen=True, slots=True)
class AgeRow:
    by: str
    value: str
    ages: Counter[int]
    """Days → so many are open for so long."""
    took: Counter[int]
    """Hours → fixing so many took so long."""
    overdue: int
    span: Span

    @property
    def open(self) -> int:
        return self.ages.total()

    @property
    def parts(self) -> Sequence[Part]:
        return _parts(self.by, self.value, self.ages, self.span.last)

    @property
    def median_age(self) -> int | None:
        return nearest_rank(self.ages, 50)

    @property
    def fixed(self) -> int:
        return self.took.total()

    @property
    def median_hours(self) -> int | None:
        return nearest_rank(self.took, 50)

    @property
    def p90_hours(self) -> int | None:
        return nearest_rank(self.took, 90)

    @property
    def label(self) -> str:
        return (self.value or "No team") if self.by == By.TEAM else self.value.capitalize()

    @property
    def open_href(self) -> str:
        return findings(status=OPEN, **{self.by: self.value})

    @property
    def fixed_href(self) -> str:
        return findings(since=self.span.first, by="resolved", **{self.by: self.value})

    @property
    def overdue_href(self) -> str:
        return findings(due="overdue", **{self.by: self.value})


@dataclass(frozen=True, slots=True)
class Ages:
    by: str
    rows: Sequence[AgeRow]

    @property
    def shown(self) -> Sequence[AgeRow]:
        return self.rows[:ROWS]

    @property
    def more(self) -> int:
        return len(self.rows) - len(self.shown)


def ages(counts: DayCounts, span: Span) -> Ages:
    """Three statements."""
    by_day = counts.open_by_day()
    age_of = {day: max((span.last - day).days, 0) for day in {day for _, day in by_day}}
    opened: dict[str, Counter[int]] = defaultdict(Counter)
    for (value, day), number in by_day.items():
        opened[value][age_of[day]] += number
    took: dict[str, Counter[int]] = defaultdict(Counter)
    for (value, hours), number in counts.times_to_fix(since=span.first).items():
        took[value][hours] += number
    overdue = overdue_by(counts.by)
    rows = [
        AgeRow(counts.by, value, opened[value], took[value], overdue.get(value, 0), span)
        for value in _values(counts.by, opened, took)
    ]
    return Ages(counts.by, rows)


def _values(by: str, opened: Mapping[str, Counter[int]], took: Mapping[str, object]) -> list[str]:
    found = opened.keys() | took.keys()
    if by == By.SEVERITY:
        return [each.value for each in Severity if each in found or each in _ALWAYS]
    return sorted(found, key=lambda team: (-sum(opened[team].values()), team))


def _parts(by: str, value: str, opened: Counter[int], today: date) -> list[Part]:
    parts, x = [], 0.0
    numbers: Counter[Bucket] = Counter()
    for age, number in opened.items():
        numbers[_bucket_of(age)] += number
    for bucket in BUCKETS:
        if number := numbers[bucket]:
            width = 100 * number / opened.total()
            named = {by: value, "status": OPEN}
            first = today - timedelta(days=bucket.end - 1) if bucket.end else None
            last = today - timedelta(days=bucket.start - 1) if bucket.start else None
            href = findings(since=first, to=last, **named)
            label = f"{number:,} open {bucket.label}"
            parts.append(Part(bucket, number, href, round(x, 2), round(width, 2), label))
            x += width
    return parts


def _bucket_of(age: int) -> Bucket:
    return BUCKETS[bisect_right(_STARTS, age) - 1]


def nearest_rank(counts: Counter[int], percent: int) -> int | None:
    """The least value that so many percent do not exceed; None of nothing."""
    wanted = -(-counts.total() * percent // 100)
    for value in sorted(counts):
        wanted -= counts[value]
        if wanted <= 0 and counts[value]:
            return value
    return None
