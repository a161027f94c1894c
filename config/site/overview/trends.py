"""Open, new, fixed and ticketed findings of each UTC day, as small charts; and the coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from config.lib.utc import short_day_text, weekday_text
from config.site.overview.links import OPEN, TICKETED, findings, on_day, open_at_end_of
from config.site.overview.span import Span
from findings.facts import Severity
from findings.models import DailyCount
from findings.trends.day_counts import DayCounts

Measure = DailyCount.Measure
TALL = 84  # of a chart; a number that is not 0 is seen
WIDTH = 10  # of a day
MIN_DAYS = 7  # as wide: one day's bar does not fill the chart
_MEASURES = (
    *(Measure.NEW, Measure.FIXED, Measure.TICKETED),
    *(Measure.STOOD, Measure.CLOSED, Measure.MATCHED, Measure.COVERED),
)
_SHOWN = (Severity.CRITICAL, Severity.HIGH)


class Bar(NamedTuple):
    day: date
    number: int
    label: str
    href: str
    x: float
    y: float
    height: float

    @property
    def left(self) -> float:
        """Of what is drawn: a gap on either side."""
        return self.x + 1

    @property
    def middle(self) -> float:
        return self.x + WIDTH / 2


@dataclass(frozen=True, slots=True)
class Chart:
    name: str
    total: int
    href: str
    badge: str
    tone: str
    hint: str
    bars: Sequence[Bar]

    @property
    def title(self) -> str:
        return self.name.capitalize()

    @property
    def is_line(self) -> bool:
        return self.name == "open"

    @property
    def is_empty(self) -> bool:
        return not any(bar.number for bar in self.bars)

    @property
    def width(self) -> int:
        return WIDTH * max(len(self.bars), MIN_DAYS)

    @property
    def line(self) -> str:
        """Through the middle of each day; across the whole chart for one."""
        if len(self.bars) == 1:
            return f"M0 {self.bars[0].y}H{self.width}"
        return "M" + "L".join(f"{bar.middle} {bar.y}" for bar in self.bars)

    @property
    def area(self) -> str:
        first, last = (0, self.width) if len(self.bars) == 1 else self._ends
        return f"{self.line}L{last} {TALL}L{first} {TALL}Z"

    @property
    def _ends(self) -> tuple[float, float]:
        return self.bars[0].middle, self.bars[-1].middle

    @property
    def ticks(self) -> Sequence[str]:
        days = dict.fromkeys((self.bars[0].day, self.bars[-1].day))
        return [short_day_text(day) for day in days]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the findings that a ticket rule matched, how many have the ticket."""

    ticketed: int
    matched: int
    ticketed_before: int  # in as many days before
    matched_before: int
    first: date

    @property
    def percent(self) -> int | None:
        return round(100 * self.ticketed / self.matched) if self.matched else None

    @property
    def change(self) -> int | None:
        """Percentage points since the time before."""
        if not self.matched or not self.matched_before:
            return None
        return (self.percent or 0) - round(100 * self.ticketed_before / self.matched_before)

    @property
    def signed_change(self) -> str:
        return _signed(self.change or 0)

    @property
    def ticketed_href(self) -> str:
        return findings(since=self.first, by="decided", ticket="automated")

    @property
    def matched_href(self) -> str:
        return findings(since=self.first, by="decided", ticket=("automated", "over_limit"))


class Trends:
    def __init__(self, counts: DayCounts, span: Span, *, open_now: int) -> None:
        """One statement."""
        self.span = span
        self._open_now = open_now
        self._by_day = counts.by_day(_MEASURES, since=span.first_before)
        self._totals: Counter[tuple[date, str]] = Counter()
        for (day, measure, _), number in self._by_day.items():
            # What a clock ahead of ours has written is of today.
            self._totals[min(day, span.last), measure] += number

    @property
    def charts(self) -> list[Chart]:
        return [self._open(), self._new(), self._fixed(), self._ticketed()]

    @property
    def coverage(self) -> Coverage:
        return Coverage(
            self._sum(Measure.COVERED),
            self._sum(Measure.MATCHED),
            self._sum_before(Measure.COVERED),
            self._sum_before(Measure.MATCHED),
            self.span.first,
        )

    def _open(self) -> Chart:
        numbers = self.open_by_day()
        before = numbers.pop(self.span.first - timedelta(days=1))
        change = self._open_now - before
        length = "today" if self.span.days == 1 else f"in {self.span.days} d"
        badge = f"{_signed(change)} {length}" if change else ""
        tone = "warn" if change > 0 else "ok"
        hint = f"{before:,} at the end of the day before"
        href = findings(status=OPEN)
        bars = _bars(numbers, lambda day, n: f"{n:,} open", open_at_end_of)
        return Chart("open", self._open_now, href, badge, tone, hint, bars)

    def open_by_day(self) -> dict[date, int]:
        """At the end of each day, and of the day before the first; back from now."""
        numbers, number, day = {}, self._open_now, self.span.last
        while day >= self.span.first - timedelta(days=1):
            numbers[day] = number
            number += self._totals[day, Measure.CLOSED] - self._totals[day, Measure.STOOD]
            day -= timedelta(days=1)
        return dict(reversed(numbers.items()))

    def _new(self) -> Chart:
        badge, hint = self._change(Measure.NEW)
        tone = "warn" if badge.startswith("+") else "ok"
        href = findings(since=self.span.first)
        bars = self._days(Measure.NEW, on_day)
        return Chart("new", self._sum(Measure.NEW), href, badge, tone, hint, bars)

    def _fixed(self) -> Chart:
        badge, hint = self._change(Measure.FIXED)
        tone = "ok" if badge.startswith("+") else "warn"
        href = findings(since=self.span.first, by="resolved")
        bars = self._days(Measure.FIXED, lambda day: on_day(day, by="resolved"))
        return Chart("fixed", self._sum(Measure.FIXED), href, badge, tone, hint, bars)

    def _ticketed(self) -> Chart:
        number, new = self._sum(Measure.TICKETED), self._sum(Measure.NEW)
        badge = f"{round(100 * number / new):,} % of new" if new else ""
        before = self._sum_before(Measure.TICKETED)
        hint = f"{before:,} in {self.span.before}"
        said = {"by": "ticketed", "ticket": TICKETED}
        href = findings(since=self.span.first, **said)
        bars = self._days(Measure.TICKETED, lambda day: on_day(day, **said))
        return Chart("ticketed", number, href, badge, "", hint, bars)

    def _change(self, measure: str) -> tuple[str, str]:
        """Against the time before, in percent; "" where there was nothing or nothing changed."""
        now, before = self._sum(measure), self._sum_before(measure)
        percent = round(100 * (now - before) / before) if before else 0
        return f"{_signed(percent)} %" if percent else "", f"{before:,} in {self.span.before}"

    def _days(self, measure: str, link: Callable[[date], str]) -> list[Bar]:
        numbers = {day: self._totals[day, measure] for day in self.span.every}
        return _bars(numbers, lambda day, n: f"{n:,} {measure}{self._split(day, measure, n)}", link)

    def _split(self, day: date, measure: str, number: int) -> str:
        """ "\n4 critical, 22 high, 35 lower"."""
        if not number:
            return ""
        parts = [(self._by_day[day, measure, each], each.value) for each in _SHOWN]
        parts.append((number - sum(part for part, _ in parts), "lower"))
        return "\n" + ", ".join(f"{part:,} {name}" for part, name in parts if part)

    def _sum(self, measure: str) -> int:
        return sum(self._totals[day, measure] for day in self.span.every)

    def _sum_before(self, measure: str) -> int:
        days = [self.span.first_before + timedelta(days=n) for n in range(self.span.days)]
        return sum(self._totals[day, measure] for day in days)


def _signed(number: int) -> str:
    return f"{'+' if number > 0 else '−'}{abs(number):,}"


def _bars(
    numbers: dict[date, int], says: Callable[[date, int], str], link: Callable[[date], str]
) -> list[Bar]:
    most = max(numbers.values()) or 1
    offset = WIDTH * max(MIN_DAYS - len(numbers), 0) / 2
    bars = []
    for nth, (day, number) in enumerate(numbers.items()):
        height = max(round((TALL - 4) * number / most, 2), 1.5) if number else 0
        label = f"{weekday_text(day)} · {says(day, number)}"
        x = offset + WIDTH * nth
        bars.append(Bar(day, number, label, link(day), x, round(TALL - height, 2), height))
    return bars
