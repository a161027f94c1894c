"""The stored counts of days, made again for the days that changed."""

from __future__ import annotations

from time import monotonic

from django.db import connection, transaction

from config.lib.rows import writer
from findings.models import ChangedDay, CountedDay, DailyCount
from findings.trends import marks
from findings.trends.counting import By, Counted, Measure, count, runs_of

DAYS_AT_ONCE = 7


def refresh_for(seconds: float) -> bool:
    """Count a few days after the other until nothing is left, or for so long; False: there may be
    more."""
    ends = monotonic() + seconds
    while not (is_done := refresh()) and monotonic() < ends:
        pass
    return is_done


def refresh(*, at_most: int = DAYS_AT_ONCE) -> bool:
    """Count the newest days that changed and forget their marks; False if there may be more.

    One transaction: whoever dies in it leaves the marks. Two at once take turns at a day's row,
    and marks go before the findings are counted, each by its own statement: what is committed in
    between is in the count, and its mark stays for another one.
    """
    marked = ChangedDay.objects.order_by("-day").values_list("day", flat=True).distinct()
    days = sorted(marked[:at_most])
    if not days:
        return True
    with transaction.atomic():
        CountedDay.objects.bulk_create([CountedDay(day) for day in days], ignore_conflicts=True)
        locked = CountedDay.objects.filter(day__in=days).order_by("day").select_for_update()
        list(locked)
        ChangedDay.objects.filter(day__in=days).delete()
        marks.forget(connection)
        counted = [row for row in count(runs_of(days)) if row.day in days]
        # Of every kind: the index begins with these.
        kinds = {"by__in": By.values, "measure__in": Measure.values}
        DailyCount.objects.filter(**kinds, day__in=days).delete()
        writer().insert(DailyCount, Counted._fields, counted)
    return len(days) < at_most
