"""What happens when a worker takes a task, and when the tables have been made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.db import DatabaseError
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.utils import timezone
from django_q.signals import post_execute_in_worker, pre_execute

from config.lib import workers
from config.runtime import failures, heartbeats, schedules

log = structlog.stdlib.get_logger(__name__)
_recorded_at: datetime | None = None


@receiver(pre_execute)
def record_heartbeat(task: dict[str, Any], **_: object) -> None:
    """Record a sign of life, at most once every few seconds in each worker."""
    global _recorded_at  # noqa: PLW0603  one worker is one process with one thread
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=str(task["func"]), task_id=task["id"])
    now = timezone.now()
    if _recorded_at and now - _recorded_at < heartbeats.EVERY * 0.8:
        return
    try:
        heartbeats.record(now)
    except DatabaseError:
        # Raising here would end the worker; a database that is away is the task's to report.
        log.warning("A sign of life could not be written", exc_info=True)
    else:
        workers.join_cluster()
        _recorded_at = now


@receiver(post_execute_in_worker)
def record_outcome(task: dict[str, Any], **_: object) -> None:
    """A task that failed says so on `/readyz`, until it succeeds."""
    path = str(task["func"])
    try:
        if task["success"]:
            failures.record_success(path)
        else:
            failures.record_failure(path, now=timezone.now())
    except DatabaseError:
        log.warning("What became of a task could not be written", exc_info=True)


@receiver(post_migrate)
def ensure_schedules(app_config: AppConfig, using: str, apps: Apps = apps, **_: object) -> None:
    """Runs after a flush too, which says nothing of the state of the apps: then all are there."""
    if app_config.label == "runtime" and apps.is_installed("django_q"):
        schedules.ensure(using)
