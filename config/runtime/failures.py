"""Which tasks of the queue fail: written by the worker that ran them, read by health and metrics.

A task does one job. One that fails says so here until a run of it succeeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from config.runtime.models import TaskFailure
from config.runtime.schedules import EVERY_MINUTE, WHEN_DUE

ENOUGH = 2
"""Failures in a row: one may be a database that was away for a moment."""


def record_failure(path: str, *, now: datetime) -> None:
    """Count one more in a row."""
    with transaction.atomic():
        again = TaskFailure.objects.filter(path=path)
        if not again.update(failures=F("failures") + 1, latest_at=now):
            row = TaskFailure(path=path, failures=1, since=now, latest_at=now)
            TaskFailure.objects.bulk_create([row], ignore_conflicts=True)


def record_success(path: str) -> None:
    failed = TaskFailure.objects.filter(path=path)
    if failed.exists():  # else nothing is written: that is nearly always
        failed.delete()


def failing() -> Sequence[TaskFailure]:
    """The tasks that failed last, of those that run by themselves."""
    return list(TaskFailure.objects.filter(path__in={*EVERY_MINUTE, *WHEN_DUE}).order_by("path"))
