"""The findings of some days, counted from the findings themselves. Six statements, however many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.db import connection as database
from django.db.backends.base.base import BaseDatabaseWrapper as Database
from django.db.models import Count, DateField, F, Func, IntegerField, Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from config.lib.utc import midnight
from findings.facts import GONE_STATUSES, OPEN_STATUSES, Ticket
from findings.models import DailyCount, Finding

Measure, By = DailyCount.Measure, DailyCount.By
MAX_RUNS = 40
"""More than these are counted as one run from the first day to the last."""
HOURLY = 7 * 24
"""What took no longer is counted to the hour, and to the day beyond."""
DAY = timedelta(days=1)
_IS_OPEN = Q(status__in=OPEN_STATUSES)
_ON_A_TICKET = Q(ticket__in=[ticket for ticket in Ticket if ticket.is_attached])
TEAM = "team"
_START = f"{TEAM}:"


class Counted(NamedTuple):
    day: date
    measure: str
    by: str
    value: str
    hours: int
    number: int


class Run(NamedTuple):
    """Days without a gap."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    def of(self, column: str) -> Q:
        start, end = midnight(self.first), midnight(self.last + DAY)
        return Q((f"{column}__gte", start), (f"{column}__lt", end))


def runs_of(days: Iterable[date]) -> list[Run]:
    """The days as few runs; more days than these, where they would be too many."""
    runs: list[Run] = []
    for day in sorted(set(days)):
        if runs and day - runs[-1].last <= DAY:
            runs[-1] = Run(runs[-1].first, day)
        else:
            runs.append(Run(day, day))
    return runs if len(runs) <= MAX_RUNS else [Run(runs[0].first, runs[-1].last)]


def is_on_the_line() -> Q:
    """Findings that the line of open ones counts from the day they were opened: those that are
    open, and those that are fixed, until then. Muted ones are on no day of it."""
    return _IS_OPEN | Q(status__in=GONE_STATUSES, resolved_at__gte=F("opened_at"))


def is_matched() -> Q:
    """What a rule had a ticket for when it was decided, made or over its limit."""
    return Q(ticket__in=(Ticket.AUTOMATED, Ticket.OVER_LIMIT))


def is_ticketed() -> Q:
    """On a ticket that stands for it: one of a test does not."""
    return Q(ticket__in=(Ticket.AUTOMATED, Ticket.MANUAL))


def recent_of(runs: Iterable[Run], since: date) -> list[Run]:
    """Without the days before that one."""
    return [Run(max(run.first, since), run.last) for run in runs if run.last >= since]


def count(
    runs: Sequence[Run], *, by: Sequence[str] = tuple(By), recent: Sequence[Run] | None = None
) -> list[Counted]:
    """All counts of these days; those by team only where they are asked for. Of what was fixed,
    ticketed and decided only the `recent` days, where those are said."""
    recent = runs if recent is None else recent
    counted: list[Counted] = []
    if runs:
        counted += _opened(runs)
        counted += _open_of_teams(runs) if By.TEAM in by else []
    if recent:
        counted += [*_fixed(recent), *_ticketed(recent), *_decided(recent)]
        counted += _fixed_of_teams(recent) if By.TEAM in by else []
    return [row for row in counted if row.number]


class _DayOf(Func):
    output_field = DateField()

    def as_postgresql(self, compiler: SQLCompiler, connection: Database, **_: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="(%(expressions)s AT TIME ZONE 'UTC')::date"
        )

    def as_sqlite(self, compiler: SQLCompiler, connection: Database, **_: Any) -> Any:
        return self.as_sql(compiler, connection, template="substr(%(expressions)s, 1, 10)")


class _HoursToFix(Func):
    """From opened to resolved, by whole seconds, as `hours_to_fix` says."""

    output_field = IntegerField()

    def __init__(self) -> None:
        super().__init__(F("opened_at"), F("resolved_at"))

    def as_postgresql(self, compiler: SQLCompiler, connection: Database, **_: Any) -> Any:
        return self._hours("floor(extract(epoch FROM {}))::bigint", "greatest", compiler)

    def as_sqlite(self, compiler: SQLCompiler, connection: Database, **_: Any) -> Any:
        return self._hours("strftime('%%s', substr({}, 1, 19))", "max", compiler)

    def _hours(self, seconds: str, most: str, compiler: SQLCompiler) -> tuple[str, list[Any]]:
        opened, resolved = (
            seconds.format(compiler.compile(each)[0]) for each in self.get_source_expressions()
        )
        hours = f"({most}({resolved} - {opened}, 0) / 3600)"
        return f"CASE WHEN {hours} < {HOURLY} THEN {hours} ELSE {hours} / 24 * 24 END", []


def hours_to_fix(opened_at: datetime, resolved_at: datetime) -> int:
    seconds = int(resolved_at.timestamp()) - int(opened_at.timestamp())
    hours = max(seconds, 0) // 3600
    return hours if hours < HOURLY else hours // 24 * 24


def _within(runs: Sequence[Run], column: str) -> QuerySet[Any, Any]:
    days = reduce(or_, (run.of(column) for run in runs))
    return Finding.objects.filter(days).order_by().annotate(day=_DayOf(column))


def _opened(runs: Sequence[Run]) -> Iterator[Counted]:
    measures = {
        Measure.NEW: Count("pk"),
        Measure.OPEN: Count("pk", filter=_IS_OPEN),
        Measure.HELD: Count("pk", filter=_IS_OPEN & _ON_A_TICKET),
        Measure.STOOD: Count("pk", filter=is_on_the_line()),
    }
    names = {f"number_{measure}": measure for measure in measures}
    rows = _within(runs, "opened_at").values_list("day", "severity")
    counts = dict(zip(names, measures.values(), strict=True))
    for day, severity, *numbers in rows.annotate(**counts):
        for measure, number in zip(names.values(), numbers, strict=True):
            yield Counted(day, measure, By.SEVERITY, severity, 0, number)


def _fixed(runs: Sequence[Run]) -> Iterator[Counted]:
    rows = _within(runs, "resolved_at").annotate(took=_HoursToFix())
    numbers = {"fixed": Count("pk"), "closed": Count("pk", filter=is_on_the_line())}
    totals: Counter[tuple[date, str, str]] = Counter()
    groups = rows.values_list("day", "severity", "took").annotate(**numbers)
    for day, severity, hours, fixed, closed in groups:
        yield Counted(day, Measure.TOOK, By.SEVERITY, severity, hours, fixed)
        totals[day, Measure.FIXED, severity] += fixed
        totals[day, Measure.CLOSED, severity] += closed
    for (day, measure, severity), number in totals.items():
        yield Counted(day, measure, By.SEVERITY, severity, 0, number)


def _ticketed(runs: Sequence[Run]) -> Iterator[Counted]:
    rows = _within(runs, "ticketed_at").filter(is_ticketed())
    for day, severity, number in rows.values_list("day", "severity").annotate(n=Count("pk")):
        yield Counted(day, Measure.TICKETED, By.SEVERITY, severity, 0, number)


def _decided(runs: Sequence[Run]) -> Iterator[Counted]:
    rows = _within(runs, "evaluation__decided_at").filter(is_matched())
    covered = Count("pk", filter=Q(ticket=Ticket.AUTOMATED))
    for day, severity, matched, number in rows.values_list("day", "severity").annotate(
        n=Count("pk"), covered=covered
    ):
        yield Counted(day, Measure.MATCHED, By.SEVERITY, severity, 0, matched)
        yield Counted(day, Measure.COVERED, By.SEVERITY, severity, 0, number)


def _open_of_teams(runs: Sequence[Run]) -> Iterator[Counted]:
    rows = _within(runs, "opened_at").filter(_IS_OPEN).values_list("day", "tags")
    for day, team, number in _by_team(rows, "day"):
        yield Counted(_as_date(day), Measure.OPEN, By.TEAM, team, 0, number)


def _fixed_of_teams(runs: Sequence[Run]) -> Iterator[Counted]:
    rows = _within(runs, "resolved_at").annotate(took=_HoursToFix())
    for day, hours, team, number in _by_team(rows.values_list("day", "took", "tags"), "day, took"):
        yield Counted(_as_date(day), Measure.TOOK, By.TEAM, team, hours, number)


_EACH_TAG = {
    "postgresql": "jsonb_array_elements_text(found.tags) AS tag(value)",
    "sqlite": "json_each(found.tags) AS tag",
}


def _by_team(found: QuerySet[Any, Any], columns: str) -> list[tuple[Any, ...]]:
    """(columns…, team, number) of these findings; "" is the team of those without one."""
    sql, params = found.query.sql_with_params()
    named = "".join(f"{name}, " for name in columns.split(", ") if name)
    statement = (
        f"SELECT {named}coalesce(substr(tag.value, {len(_START) + 1}), '') AS team, count(*) "  # noqa: S608
        f"FROM ({sql}) found LEFT JOIN {_EACH_TAG[database.vendor]} "
        f"ON substr(tag.value, 1, {len(_START)}) = '{_START}' AND tag.value <> '{_START}' "
        f"GROUP BY {named}team"
    )
    with database.cursor() as cursor:
        cursor.execute(statement, params)
        return list(cursor.fetchall())


def overdue_by_team(overdue: QuerySet[Finding]) -> dict[str, int]:
    return dict(_by_team(overdue.order_by().values_list("tags"), ""))


def _as_date(day: date | str) -> date:
    return date.fromisoformat(day) if isinstance(day, str) else day
