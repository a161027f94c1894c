"""Counts of days are those of a naive recount, whatever was done to findings and by whom."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, timedelta
from random import Random

import pytest
from django.db import connection
from django.utils import timezone

from findings import overrides, services
from findings.facts import GONE_STATUSES, OPEN_STATUSES, Severity, Status
from findings.models import ChangedDay, DailyCount, Evaluation, Finding
from findings.trends import marks, rollups
from findings.trends.counting import count, hours_to_fix, runs_of
from findings.trends.day_counts import LIVE_DAYS, DayCounts
from findings.trends.rollups import refresh
from tests.factories import FindingFactory, ProjectFactory, SourceFactory, reported
from tests.findings.columns import from_columns
from ticketing import services as tickets
from ticketing.models import Project

Measure, By = DailyCount.Measure, DailyCount.By
START = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
ALL_BUT_TOOK = [each for each in Measure.values if each != Measure.TOOK]
EARLIEST = START.date() - timedelta(days=400)


def recount() -> Counter:
    """(day, measure, by, value, hours) → findings, row by row."""
    counts: Counter = Counter()
    for f in Finding.objects.all():
        opened = f.opened_at.astimezone(UTC).date()
        named = [t.removeprefix("team:") for t in f.tags if t.startswith("team:")]
        teams = [*filter(None, named)] or [""]
        is_open = f.status in OPEN_STATUSES
        was = f.status in GONE_STATUSES and f.resolved_at and f.resolved_at >= f.opened_at
        said = [("new", opened, 0, True), ("open", opened, 0, is_open)]
        said += [("held", opened, 0, is_open and f.ticket in ("automated", "manual", "test"))]
        said += [("stood", opened, 0, is_open or was)]
        if f.resolved_at:
            hours = hours_to_fix(f.opened_at, f.resolved_at)
            said += [("fixed", f.resolved_at.date(), 0, True)]
            said += [("took", f.resolved_at.date(), hours, True)]
            said += [("closed", f.resolved_at.date(), 0, was)]
        if f.ticketed_at and f.ticket in ("automated", "manual"):
            said += [("ticketed", f.ticketed_at.date(), 0, True)]
        if f.evaluation.decided_at and f.ticket in ("automated", "over_limit"):
            said += [("matched", f.evaluation.decided_at.date(), 0, True)]
            said += [("covered", f.evaluation.decided_at.date(), 0, f.ticket == "automated")]
        for measure, day, hours, holds in said:
            counts[day, measure, "severity", f.severity, hours] += bool(holds)
            if measure in ("open", "took"):
                for team in teams:
                    counts[day, measure, "team", team, hours] += bool(holds)
    return +counts


def stored() -> Counter:
    rows = DailyCount.objects.values_list("day", "measure", "by", "value", "hours", "number")
    assert len(rows) == len({row[:5] for row in rows})
    return Counter({tuple(row[:5]): row[5] for row in rows})


def report(random, some):
    tags = random.choice(
        [(), ("team:a",), ("team:a", "team:ä b"), ("team:", "team:a"), ("team:",), ("x:team:a",)]
    )
    fields = {"severity": random.choice(["critical", "low"]), "tags": tags}
    services.record(reported(random.randint(1, 6), **fields), source=SourceFactory())


def change_status(random, some):
    status = random.choice([Status.RESOLVED, Status.IN_PROGRESS, Status.OPEN])
    services.change_status(some, status=status, actor=None)


def refuse(random, some):
    Finding.objects.filter(pk__in=some, ticket="none").update(ticket="over_limit")
    services.settle_evaluated(some, decided_at=timezone.now())


def move_to_the_past(random, some):
    moment = timezone.now() - timedelta(minutes=random.randint(1, 300_000))
    column = random.choice(marks.MOMENTS)
    Finding.objects.filter(pk__in=some).exclude((column, None)).update(**{column: moment})


def open_case(random, some):
    tickets.open_manual_case(some, project=Project.objects.get(), title="x", actor=None)


ACTS = [
    *(report, report, change_status, refuse, *[move_to_the_past] * 3, open_case),
    lambda random, some: services.mute(some, reason="OTHER", actor=None),
    lambda random, some: services.unmute(some, actor=None),
    lambda random, some: overrides.set_severity(some, severity=Severity.HIGH, actor=None),
    lambda random, some: tickets.detach(some, actor=None),
    lambda random, some: Finding.objects.filter(pk__in=some[:2]).delete(),
    *[lambda random, some: refresh(at_most=random.randint(1, 5))] * 2,
]
"""What the application does to findings, or a person to the database."""


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(8))
def test_what_is_shown_and_what_is_stored_is_what_a_recount_says(seed):
    random = Random(seed)
    ProjectFactory(key="R")
    for _ in range(30):
        pks = list(Finding.objects.values_list("pk", flat=True))
        random.choice(ACTS)(random, random.sample(pks, min(len(pks), 4)))
    for by in By.values:
        assert shown(by) == shown_of(recount(), by)
        assert from_columns(lambda by=by: shown(by)) == shown_of(recount(), by)
    while not refresh(at_most=3):
        pass
    assert stored() == recount()
    for by in By.values:
        assert shown(by) == shown_of(recount(), by)


def shown(by: str) -> list[Counter]:
    """All that pages read, where some days have changed and some have not."""
    counts = DayCounts(since=EARLIEST, by=by)
    return [
        +counts.by_day(ALL_BUT_TOOK, since=EARLIEST),
        +counts.open_by_day(),
        +counts.totals(Measure.HELD),
        +counts.times_to_fix(since=EARLIEST),
    ]


def shown_of(rows: Counter, by: str) -> list[Counter]:
    by_day, opened, held, took = (Counter() for _ in range(4))
    for (day, measure, of, value, hours), number in rows.items():
        if of == "severity":
            by_day[day, measure, value] += number if measure != "took" else 0
            held[value] += number if measure == "held" else 0
        if of == by:
            opened[value, day] += number if measure == "open" else 0
            took[value, hours] += number if measure == "took" else 0
    return [+by_day, +opened, +held, +took]


@pytest.mark.django_db
def test_it_counts_many_days_with_gaps_as_one():
    days = [START.date() - timedelta(days=2 * n) for n in range(100)]
    assert len(runs_of(days)) == 1
    assert len(runs_of(days[:10])) == 10
    FindingFactory.create_batch(3, opened_at=START - timedelta(days=1))
    assert len(count(runs_of(days))) == 4


@pytest.mark.django_db
def test_a_page_takes_as_many_statements_for_much(django_assert_num_queries):
    for number in (1, 30):
        for day in range(number):
            FindingFactory(opened_at=START - timedelta(days=day))
        asks_how_many = number > LIVE_DAYS
        with django_assert_num_queries(1 + asks_how_many + 6 + 4):
            shown(By.TEAM)
    refresh(at_most=100)
    with django_assert_num_queries(1 + 4):
        shown(By.TEAM)


@pytest.mark.django_db
def test_a_statement_marks_a_day_once_however_many_rows_it_writes():
    """As when a report brings many archived findings back, or a night puts them away."""
    findings = FindingFactory.create_batch(5, opened_at=START)
    rows = [Evaluation(finding=f, last_seen_at=START, decided_at=START) for f in findings]
    Evaluation.objects.all().delete()
    for write in (
        lambda: Evaluation.objects.bulk_create(rows),
        lambda: Evaluation.objects.update(decided_at=START + timedelta(hours=1)),
        Evaluation.objects.all().delete,
        Finding.objects.all().delete,
    ):
        ChangedDay.objects.all().delete()
        write()
        assert ChangedDay.objects.count() == 1


@pytest.mark.django_db
def test_a_table_that_was_made_anew_is_counted_anew():
    """SQLite drops triggers with the table that a migration replaces."""
    FindingFactory(opened_at=START - timedelta(days=9))
    refresh()
    marks.remove(connection)
    FindingFactory(opened_at=START - timedelta(days=5))
    assert not ChangedDay.objects.exists()
    marks.install(connection)
    marks.install(connection)
    refresh()
    assert stored() == recount()


@pytest.mark.django_db
def test_it_counts_a_week_after_the_other_while_there_is_time():
    for day in range(20):
        FindingFactory(opened_at=START - timedelta(days=day))
    assert not rollups.refresh_for(0)
    assert len(set(DailyCount.objects.values_list("day", flat=True))) == rollups.DAYS_AT_ONCE
    assert rollups.refresh_for(600)
    assert stored() == recount()


@pytest.mark.django_db
def test_whoever_dies_while_counting_leaves_the_marks(monkeypatch):
    FindingFactory.create_batch(2, opened_at=START - timedelta(days=3))
    marked = set(ChangedDay.objects.values_list("pk", flat=True))
    with monkeypatch.context() as patch:
        patch.setattr(rollups, "writer", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            refresh()
    assert set(ChangedDay.objects.values_list("pk", flat=True)) == marked
    assert refresh()
    assert stored() == recount()
