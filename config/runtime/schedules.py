"""What runs by the clock: tasks that find what a lost ring left behind, or what became due."""

from __future__ import annotations

from django_q.models import Schedule

EVERY_MINUTE = (
    "automation.tasks.sweep",
    "automation.tasks.check_destinations",
    "ticketing.tasks.sweep",
    "ticketing.tasks.sync",
    "findings.tasks.wake_muted",
)


def ensure(using: str) -> None:
    """Make the schedules in that database exactly these."""
    rows = Schedule.objects.using(using)
    rows.exclude(func__in=EVERY_MINUTE).delete()
    present = set(rows.values_list("func", flat=True))
    rows.bulk_create(
        Schedule(name=path, func=path, schedule_type=Schedule.MINUTES, minutes=1)
        for path in EVERY_MINUTE
        if path not in present
    )
