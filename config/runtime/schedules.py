"""What runs by the clock: tasks that find what a lost wake-up left behind, or what became due."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import structlog
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django_q.models import Schedule

from automation import pipeline
from config.runtime import lost_clusters
from findings.imports import queue
from ticketing import account_probe, bulk, groups, sync
from ticketing.outbox.waiting import is_anything_due

log = structlog.stdlib.get_logger(__name__)

EVERY_MINUTE = (
    "automation.tasks.evaluate",
    "automation.tasks.recheck",
    "automation.tasks.carry_on_tests",
    "automation.tasks.check_destinations",
    "ticketing.tasks.follow",
    "ticketing.tasks.refresh_groups",
    "ticketing.tasks.free_expired",
    "ticketing.tasks.forget_bulk_records",
    "ticketing.tasks.sync",
    "ticketing.tasks.probe_accounts",
    "ticketing.tasks.work_bulk_runs",
    "findings.tasks.wake_muted",
    "findings.tasks.take_uploads",
    "findings.tasks.forget_abandoned_uploads",
    "findings.tasks.delete_stray_uploads",
    "findings.tasks.finish_resolving",
    "findings.tasks.count_days",
    "findings.tasks.forget_changes",
    "findings.tasks.finish_undoing",
    "config.accounts.tasks.forget_answers",
    "config.accounts.tasks.forget_acts",
    "config.accounts.tasks.keep_audit_log",
    "config.accounts.tasks.clear_sessions",
    "config.runtime.tasks.delete_old_rows",
)
"""One job each: a job that fails stops no other, and its failure is its own (`failures.py`)."""
WHEN_DUE: Mapping[str, Callable[[datetime], bool]] = {
    "automation.tasks.evaluate": pipeline.is_anything_due,
    "ticketing.tasks.refresh_groups": groups.is_anything_due,
    "ticketing.tasks.deliver": is_anything_due,
    "ticketing.tasks.sync": sync.is_anything_due,
    "ticketing.tasks.probe_accounts": account_probe.is_anything_due,
    "ticketing.tasks.work_bulk_runs": bulk.is_anything_due,
    "findings.tasks.take_uploads": queue.is_anything_due,
    "config.runtime.tasks.free_claims": lost_clusters.hold_claims,
}
"""What cannot wait for the minute: asked by each cluster every few seconds, one indexed query
each, and enqueued only if there is something to do."""
EACH_SECOND = ("ticketing.tasks.deliver",)
"""Asked more often: a ticket that failed waits for several of these, one after the other."""


def due(only: Collection[str] | None = None) -> list[str]:
    """The tasks (of these) that have something to do now; none while the database is away."""
    now = timezone.now()
    asked = WHEN_DUE if only is None else only
    try:
        return [path for path, is_due in WHEN_DUE.items() if path in asked and is_due(now)]
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
