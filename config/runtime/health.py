"""Whether this process answers, and whether the whole does its work."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from config.runtime import beats
from findings.selectors import unevaluated

log = structlog.stdlib.get_logger(__name__)

EVALUATED_WITHIN = timedelta(minutes=5)
"""The sweep looks every minute: what still waits after five is not being worked on."""

Report = dict[str, dict[str, Any]]


def examine() -> Report:
    """Look at everything the work depends on: each part says whether it is `ok`."""
    try:
        unapplied = _unapplied_migrations()
        if unapplied:
            return {
                "database": {"ok": True},
                "migrations": {"ok": False, "unapplied": unapplied},
            }
        now = timezone.now()
        return {
            "database": {"ok": True},
            "migrations": {"ok": True, "unapplied": 0},
            "queue": _age_within(beats.last_of_any(), now, beats.STUCK_AFTER, needed=True),
            "evaluation": _age_within(oldest_unevaluated(), now, EVALUATED_WITHIN, needed=False),
        }
    except DatabaseError:
        log.exception("The database does not answer")
        return {"database": {"ok": False}}


def oldest_unevaluated() -> datetime | None:
    waiting = unevaluated().order_by("unevaluated_since")
    return waiting.values_list("unevaluated_since", flat=True).first()


def _unapplied_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _age_within(
    at: datetime | None, now: datetime, limit: timedelta, *, needed: bool
) -> dict[str, Any]:
    if at is None:
        return {"ok": not needed, "age_seconds": None}
    return {"ok": now - at <= limit, "age_seconds": round((now - at).total_seconds(), 1)}
