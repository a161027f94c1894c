"""What runs by the clock: tasks that find what a lost ring left behind, or what became due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django_q.models import Schedule

from ticketing import sync
from ticketing.outbox.claims import is_anything_due

log = structlog.stdlib.get_logger(__name__)

EVERY_MINUTE = (
    "automation.tasks.sweep",
    "automation.tasks.check_destinations",
    "ticketing.tasks.sweep",
    "ticketing.tasks.sync",
    "ticketing.tasks.work_bulk_runs",
    "findings.tasks.wake_muted",
    "findings.tasks.take_uploads",
    "config.accounts.tasks.sweep",
)
WHEN_DUE: Mapping[str, Callable[[datetime], bool]] = {
    "ticketing.tasks.deliver": is_anything_due,
    "ticketing.tasks.sync": sync.is_anything_due,
}
"""What cannot wait for the minute: asked by each cluster every few seconds, one indexed query
each, and rung only if there is something to do."""


def due() -> list[str]:
    """The tasks that have something to do now; none while the database is away."""
    now = timezone.now()
    try:
        return [path for path, is_due in WHEN_DUE.items() if is_due(now)]
    except DatabaseError:
        log.warning("What is due could not be read", exc_info=True)
        close_old_connections()
        return []


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
