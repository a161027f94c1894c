"""Findings by day (or hour, or several days) and severity, as the bars of a small chart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import Count
from django.db.models.functions import TruncDay, TruncHour

from config.lib.utc import month_text, short_day_text, stamp, time_text
from findings.explorer.columnar_histogram import counts_by_time
from findings.explorer.search import Search

MAX_BARS = 92
WIDTH = 10  # of a bar with its gap
TALL = 64
STACK = ("info", "low", "medium", "high", "critical")  # from the bottom
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
MAX_HOURS = 3 * _DAY  # beyond that a bar is a day


class Bar(NamedTuple):
    severity: str
    x: int
    y: float
    height: float


class Histogram(NamedTuple):
    step: timedelta
    starts: Sequence[datetime]
    counts: Sequence[Counter[str]]  # of each step, by severity
    since: datetime | None = None  # the search begins and ends within a step
    until: datetime | None = None

    @property
    def width(self) -> int:
        return WIDTH * len(self.starts)

    @property
    def start(self) -> str:
        return stamp(self.starts[0])

    @property
    def step_seconds(self) -> int:
        return int(self.step.total_seconds())

    @property
    def by(self) -> str:
        if self.step == _HOUR:
            return "hour"
        return "day" if self.step == _DAY else f"{self.step.days} days"

    @property
    def legend(self) -> list[str]:
        seen = {severity for counts in self.counts for severity in counts}
        return [severity for severity in reversed(STACK) if severity != "info" or "info" in seen]

    @property
    def ticks(self) -> list[str]:
        """Up to five dates along the bottom, the first and the last among them."""
        last = len(self.starts) - 1
        places = sorted({round(last * part / 4) for part in range(5)})
        return [self._label(self.starts[place]) for place in places]

    @property
    def sentence(self) -> str:
        peak = max(self.counts, key=lambda counts: counts.total())
        at = self._label(self.starts[self.counts.index(peak)])
        return (
            f"Findings by {self.by} and severity from {self._label(self.starts[0])} to "
            f"{self._label(self.starts[-1])}, most on {at}: {peak.total():,}"
        )

    @property
    def bars(self) -> Iterator[Bar]:
        scale = TALL / max(counts.total() for counts in self.counts)
        for nth, counts in enumerate(self.counts):
            top = float(TALL)
            for severity in STACK:
                if counts[severity]:
                    height = counts[severity] * scale
                    top -= height
                    yield Bar(severity, nth * WIDTH, round(top, 2), round(max(height, 1), 2))

    def _label(self, start: datetime) -> str:
        if self.step == _HOUR:
            one_day = self.starts[-1] - self.starts[0] <= _DAY
            return time_text(start) if one_day else f"{short_day_text(start)} {time_text(start)}"
        is_this_year = start.year == self.starts[-1].year
        return short_day_text(start) if is_this_year else month_text(start)


def histogram(search: Search, *, now: datetime) -> Histogram | None:
    """None when nothing matches; one statement, or none."""
    until = min(search.until or now, now)
    hourly = search.since is not None and until - search.since <= MAX_HOURS
    unit = _HOUR if hourly else _DAY
    rows = counts_by_time(search, unit)
    counted: dict[datetime, Counter[str]] = {}
    for start, severity, number in _rows(search, unit) if rows is None else rows:
        name = severity if severity in STACK else "info"
        counted.setdefault(start, Counter())[name] += number
    if not counted:
        return None
    first = _floor(search.since, unit) if search.since else min(counted)
    last = max(_floor(until - timedelta.resolution, unit), *counted)
    drawn = _merged(counted, first, last, unit)
    return drawn._replace(since=search.since, until=search.until)


def _rows(search: Search, unit: timedelta) -> Iterable[tuple[datetime, str, int]]:
    column = search.clock.column
    trunc = TruncHour if unit == _HOUR else TruncDay
    return (
        search.findings()
        .order_by()
        .filter((f"{column}__isnull", False))
        .annotate(start=trunc(column, tzinfo=UTC))
        .values_list("start", "severity")
        .annotate(number=Count("pk"))
    )


def _merged(
    counted: dict[datetime, Counter[str]], first: datetime, last: datetime, unit: timedelta
) -> Histogram:
    """Steps of as many units as keep the chart readable, from `first` to `last`."""
    units = (last - first) // unit + 1
    step = unit * -(-units // MAX_BARS)
    starts = [first + step * nth for nth in range(-(-units * unit // step))]
    counts: list[Counter[str]] = [Counter() for _ in starts]
    for start, by_severity in counted.items():
        counts[(start - first) // step] += by_severity
    return Histogram(step, starts, counts)


def _floor(moment: datetime, unit: timedelta) -> datetime:
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if unit == _HOUR else floor.replace(hour=0)
