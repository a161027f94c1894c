"""Counts of days as pages ask for them: stored ones, and of days that changed since, live ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet, Sum

from findings.columnar.keeper import are_many
from findings.columnar.pinned import current
from findings.columnar.table import Table
from findings.models import ChangedDay, CountedDay, DailyCount
from findings.trends import columnar_counting
from findings.trends.counting import By, Counted, Measure, Run, count, recent_of, runs_of

LIVE_DAYS = 3
"""Of very many findings the database counts no more days than these while somebody waits."""


class DayCounts:
    """What one page says of days: all its numbers are of one look at what changed."""

    def __init__(self, *, since: date, by: str = By.SEVERITY, live_days: float = LIVE_DAYS) -> None:
        """One statement, and those of `count` if anything changed since it was counted last and
        the columns in memory cannot tell. Of what was fixed, ticketed and decided before `since`
        nothing is told."""
        self.by = by
        changed = ChangedDay.objects.order_by("day").values_list("day", flat=True).distinct()
        days = list(changed)
        self._table = current()
        self.behind = 0
        """Days that changed since they were counted, where that would take too long now."""
        self.uncounted = 0
        """Of these: days that were never counted, so that nothing is told of them."""
        self._runs = runs_of(days)
        recent = recent_of(self._runs, since)
        counted = self._count(self._runs, recent, live_days) if days else []
        if counted is None:
            self._runs = []
            self.behind = len(days)
            self.uncounted = self.behind - CountedDay.objects.filter(day__in=days).count()
        self._live = counted or []

    def _count(
        self, runs: Sequence[Run], recent: Sequence[Run], live_days: float
    ) -> list[Counted] | None:
        if self._table:
            return columnar_counting.count(self._table, runs, recent=recent)
        by = (By.SEVERITY, self.by)
        if sum(run.days for run in runs) > live_days and are_many():
            return None
        return count(runs, by=by, recent=recent)

    def by_day(self, measures: Sequence[str], *, since: date) -> Counter[tuple[date, str, str]]:
        """(day, measure, severity) → findings, of any measure but TOOK; one statement."""
        stored = self._stored(measures, By.SEVERITY, since=since)
        rows = stored.values_list("day", "measure", "value", "number")
        counts = Counter({(day, what, value): number for day, what, value, number in rows})
        for row in self._changed(measures, By.SEVERITY, since=since):
            counts[row.day, row.measure, row.value] += row.number
        return counts

    def open_by_day(self) -> Counter[tuple[str, date]]:
        """(severity or team, day opened) → findings that are open now; one statement, or none."""
        if self._of_teams:
            return columnar_counting.open_by_day(self._of_teams)
        stored = self._stored([Measure.OPEN], self.by)
        counts = Counter(
            {
                (value, day): number
                for value, day, number in stored.values_list("value", "day", "number")
            }
        )
        for row in self._changed([Measure.OPEN], self.by):
            counts[row.value, row.day] += row.number
        return counts

    def totals(self, measure: str) -> Counter[str]:
        """Severity → findings, of all days; one statement."""
        stored = self._stored([measure], By.SEVERITY).values_list("value")
        counts = Counter(dict(stored.annotate(total=Sum("number"))))
        for row in self._changed([measure], By.SEVERITY):
            counts[row.value] += row.number
        return counts

    def times_to_fix(self, *, since: date) -> Counter[tuple[str, int]]:
        """(severity or team, hours) → findings fixed since that day; one statement, or none."""
        if self._of_teams:
            return columnar_counting.times_to_fix(self._of_teams, since=since)
        stored = self._stored([Measure.TOOK], self.by, since=since)
        totals = stored.values_list("value", "hours").annotate(total=Sum("number"))
        counts = Counter({(value, hours): number for value, hours, number in totals})
        for row in self._changed([Measure.TOOK], self.by, since=since):
            counts[row.value, row.hours] += row.number
        return counts

    @property
    def _of_teams(self) -> Table | None:
        """Where the columns in memory tell of teams: sooner than the rows of each day and team
        are read."""
        return self._table if self.by == By.TEAM else None

    def _stored(
        self, measures: Sequence[str], by: str, *, since: date | None = None
    ) -> QuerySet[DailyCount]:
        rows = DailyCount.objects.filter(by=by, measure__in=measures).order_by()
        if since:
            rows = rows.filter(day__gte=since)
        return rows.exclude(reduce(or_, (_days(run) for run in self._runs))) if self._runs else rows

    def _changed(
        self, measures: Sequence[str], by: str, *, since: date | None = None
    ) -> list[Counted]:
        return [
            row
            for row in self._live
            if row.by == by and row.measure in measures and (since is None or row.day >= since)
        ]


def _days(run: Sequence[date]) -> Q:
    return Q(day__gte=run[0], day__lte=run[1])
