"""When findings are due, as pages tell and filter it: counted in UTC days from today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.db.models import Case, CharField, Count, Q, Value, When
from django.utils import timezone

from config.lib.utc import midnight
from findings.facts import OPEN_STATUSES, Severity
from findings.models import Finding

SOON_DAYS = 7  # the seventh day included
SOON = timedelta(days=SOON_DAYS + 1)


class Due(StrEnum):
    OVERDUE = "overdue"
    SOON = "soon"
    LATER = "later"
    NEVER = ""


LABELS = {
    Due.OVERDUE: "Overdue",
    Due.SOON: f"Due within {SOON_DAYS} days",
    Due.LATER: "Later",
    Due.NEVER: "No due date",
}


def is_due(due: Due) -> Q:
    """Open findings that are so due today. Of all others `NEVER` is true."""
    dated = Q(due_at__isnull=False, status__in=OPEN_STATUSES)
    return dated & is_due_at(due) if due else ~dated


def is_due_at(due: Due) -> Q:
    """The same of findings that are open."""
    today = midnight(timezone.now())
    beyond = today + SOON
    return {
        Due.OVERDUE: Q(due_at__lt=today),
        Due.SOON: Q(due_at__gte=today, due_at__lt=beyond),
        Due.LATER: Q(due_at__gte=beyond),
        Due.NEVER: Q(due_at__isnull=True),
    }[due]


def due_value() -> Case:
    """The `Due` of a row."""
    whens = [When(is_due(due), then=Value(due.value)) for due in Due if due]
    return Case(*whens, default=Value(Due.NEVER.value), output_field=CharField())


def overdue_by_severity() -> dict[str, int]:
    """How many are overdue, with a 0 for each severity without any. One statement."""
    overdue = Finding.objects.filter(is_due(Due.OVERDUE)).order_by().values_list("severity")
    none: dict[str, int] = dict.fromkeys(Severity, 0)
    return none | dict(overdue.annotate(number=Count("*")))


def days_left(due_at: datetime) -> int:
    """0 on the day it is due, negative once that has passed."""
    return (due_at.astimezone(UTC).date() - timezone.now().astimezone(UTC).date()).days


def due_in_words(days: int) -> str:
    """Of the days that are left: "Overdue 3 d", "Today", "in 1,371 d"."""
    if days < 0:
        return f"Overdue {-days:,} d"
    return f"in {days:,} d" if days else "Today"
