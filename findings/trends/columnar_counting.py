"""The counts of days from the columns in memory: what `counting.count` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from config.lib.utc import microseconds, midnight
from findings.columnar.arrays import Mask
from findings.columnar.selection import Array, counted
from findings.columnar.table import Table
from findings.columnar.tag_values import tag_values_of
from findings.facts import GONE_STATUSES, OPEN_STATUSES, Ticket
from findings.trends.counting import DAY, HOURLY, TEAM, By, Counted, Measure, Run

_EPOCH = date(1970, 1, 1)
EVER = Run(date(1, 1, 2), date(9999, 12, 30))
_MICROSECONDS = DAY // DAY.resolution
_SECONDS = _MICROSECONDS // (24 * 60 * 60)


def count(table: Table, runs: Sequence[Run], *, recent: Sequence[Run]) -> list[Counted]:
    """By severity."""
    opened, resolved = _On.any(table, "opened_at", runs), _On.any(table, "resolved_at", recent)
    return [
        *_opened(opened),
        *_fixed(resolved),
        *_ticketed(table, recent),
        *_decided(table, recent),
    ]


def values_of(table: Table, places: Array, by: str) -> tuple[Array | slice, Array, Sequence[str]]:
    """Each of these findings beside its severity, or beside each of its teams and without one
    beside "": which of `places`, codes, and what the codes stand for."""
    if by == By.TEAM:
        teams = tag_values_of(table.tags, TEAM)
        return *teams.beside(table.tag_codes.values[places]), teams.texts
    severity = table.profile_column("severity")
    codes = severity.codes[table.profile_codes.values[places]]
    return slice(None), codes, severity.entries


def open_by_day(table: Table) -> Counter[tuple[str, date]]:
    """(team, day opened) → findings that are open now."""
    opened = _On.any(table, "opened_at", [EVER], of=_has_status(table, OPEN_STATUSES))
    rows = opened.numbers(By.TEAM)
    return Counter({(value, day): number for day, value, _hours, number in rows})


def times_to_fix(table: Table, *, since: date) -> Counter[tuple[str, int]]:
    """(team, hours) → findings fixed since that day."""
    resolved = _On.any(table, "resolved_at", [EVER._replace(first=since)])
    hours = _hours_to_fix(resolved)
    same_day = resolved._replace(days=np.zeros_like(resolved.days))
    rows = same_day.numbers(By.TEAM, hours)
    return Counter({(value, hours): number for _day, value, hours, number in rows})


class _On(NamedTuple):
    """Findings of which something was on one of some days."""

    table: Table
    places: Array
    days: Array
    """Of each of them, counted from `first` on."""
    first: date

    @classmethod
    def any(cls, table: Table, moment: str, runs: Sequence[Run], *, of: Mask | None = None) -> _On:
        """`of`: the profiles to look at, if not all."""
        if not runs:
            none = np.zeros(0, dtype=np.int64)
            return cls(table, none, none, date.min)
        times = table.moments(moment)
        start, end = (microseconds(midnight(day)) for day in (runs[0].first, runs[-1].last + DAY))
        looked_at = table.alive if of is None else table.alive & table.of_profiles(of)
        places = np.flatnonzero(looked_at & (times >= start) & (times < end))
        days = times[places] // _MICROSECONDS
        first = int(days.min(initial=end // _MICROSECONDS))
        found = cls(table, places, days - first, _EPOCH + first * DAY)
        return found if len(runs) == 1 else found.those(found._is_in(runs))

    def _is_in(self, runs: Sequence[Run]) -> Mask:
        found = np.zeros(len(self.days), dtype=np.bool_)
        for run in runs:
            first, last = ((day - self.first).days for day in run)
            found |= (self.days >= first) & (self.days <= last)
        return found

    def those(self, mask: Mask) -> _On:
        return self._replace(places=self.places[mask], days=self.days[mask])

    def with_profile(self, profiles: Mask) -> _On:
        return self.those(profiles[self.table.profile_codes.values[self.places]])

    def by_severity(self, measure: str, hours: Array | None = None) -> Iterator[Counted]:
        return self.by(By.SEVERITY, measure, hours)

    def by(self, by: str, measure: str, hours: Array | None = None) -> Iterator[Counted]:
        for day, value, hour, number in self.numbers(by, hours):
            yield Counted(day, measure, by, value, hour, number)

    def numbers(self, by: str, hours: Array | None = None) -> Iterator[tuple[date, str, int, int]]:
        """Day, severity or team, hours, how many: of teams there are ten thousands."""
        rows, codes, values = values_of(self.table, self.places, by)
        keys = self.days[rows] * len(values) + codes
        longest = 1
        if hours is not None:
            longest = int(hours.max(initial=0)) + 1
            keys = keys * longest + hours[rows]
        found, numbers = counted(keys)
        rest, took = np.divmod(found, longest)
        of_day, code = np.divmod(rest, len(values))
        days_there = {day: self.first + day * DAY for day in set(of_day.tolist())}
        values_there = {nth: values[nth] for nth in set(code.tolist())}
        return zip(
            map(days_there.__getitem__, of_day.tolist()),
            map(values_there.__getitem__, code.tolist()),
            *(took.tolist(), numbers.tolist()),
            strict=True,
        )


def _opened(opened: _On) -> Iterator[Counted]:
    is_open = _has_status(opened.table, OPEN_STATUSES)
    now = opened.with_profile(is_open)
    attached = [ticket for ticket in Ticket if ticket.is_attached]
    yield from opened.by_severity(Measure.NEW)
    yield from now.by_severity(Measure.OPEN)
    held = now.with_profile(opened.table.profiles_with("ticket", attached))
    yield from held.by_severity(Measure.HELD)
    yield from _on_the_line(opened).by_severity(Measure.STOOD)


def _on_the_line(found: _On) -> _On:
    """As `counting.is_on_the_line`."""
    table, places = found.table, found.places
    profiles = table.profile_codes.values[places]
    is_open = _has_status(table, OPEN_STATUSES)[profiles]
    is_gone = _has_status(table, GONE_STATUSES)[profiles]
    is_later = table.moments("resolved_at")[places] >= table.moments("opened_at")[places]
    return found.those(is_open | (is_gone & is_later))


def _has_status(table: Table, statuses: Sequence[str]) -> Mask:
    """Of each profile."""
    return table.profiles_with("status", statuses)


def _fixed(resolved: _On) -> Iterator[Counted]:
    yield from resolved.by_severity(Measure.FIXED)
    yield from _on_the_line(resolved).by_severity(Measure.CLOSED)
    yield from resolved.by_severity(Measure.TOOK, _hours_to_fix(resolved))


def _hours_to_fix(resolved: _On) -> Array:
    opened, closed = (
        resolved.table.moments(name)[resolved.places] // _SECONDS
        for name in ("opened_at", "resolved_at")
    )
    hours = np.maximum(closed - opened, 0) // 3600
    rounded: Array = np.where(hours < HOURLY, hours, hours // 24 * 24)
    return rounded


def _ticketed(table: Table, runs: Sequence[Run]) -> Iterator[Counted]:
    ticketed = table.profiles_with("ticket", [Ticket.AUTOMATED, Ticket.MANUAL])
    return _On.any(table, "ticketed_at", runs, of=ticketed).by_severity(Measure.TICKETED)


def _decided(table: Table, runs: Sequence[Run]) -> Iterator[Counted]:
    matched = table.profiles_with("ticket", [Ticket.AUTOMATED, Ticket.OVER_LIMIT])
    found = _On.any(table, "decided_at", runs, of=matched)
    yield from found.by_severity(Measure.MATCHED)
    covered = found.with_profile(table.profiles_with("ticket", [Ticket.AUTOMATED]))
    yield from covered.by_severity(Measure.COVERED)
