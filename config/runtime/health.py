"""Whether this process answers, and whether the whole does its work."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from config.runtime import failures, heartbeats
from findings.selectors import unevaluated
from ticketing.health import suspended

log = structlog.stdlib.get_logger(__name__)

EVALUATED_WITHIN = timedelta(minutes=5)
"""The sweep looks every minute: what still waits after five is not being worked on."""

Readiness = dict[str, dict[str, Any]]


def examine() -> Readiness:
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
            "queue": _age_within(
                heartbeats.last_of_any(), now, heartbeats.STUCK_AFTER, needed=True
            ),
            "accounts": _accounts(now),
            "evaluation": _age_within(oldest_unevaluated(), now, EVALUATED_WITHIN, needed=False),
            "tasks": _tasks(),
        }
    except DatabaseError:
        log.exception("The database does not answer")
        return {"database": {"ok": False}}


def is_degraded(report: Readiness) -> bool:
    """Whether all that is not well is somewhere else: nothing that a restart, or another machine
    in this one's place, could mend."""
    return not report.get("accounts", {"ok": True})["ok"] and all(
        part["ok"] for name, part in report.items() if name != "accounts"
    )


def _accounts(now: datetime) -> dict[str, Any]:
    """Those of Jira that are suspended: their tickets wait. No names: anybody may ask."""
    ages = suspended(now)
    longest = round(max(ages).total_seconds(), 1) if ages else None
    return {"ok": not ages, "suspended": len(ages), "age_seconds": longest}


def _tasks() -> dict[str, Any]:
    """Tasks that run by the clock and fail: each is one job, and stops no other."""
    failing = failures.failing()
    return {
        "ok": all(task.failures < failures.ENOUGH for task in failing),
        "failing": {task.path: task.failures for task in failing},
    }


def oldest_unevaluated() -> datetime | None:
    waiting = unevaluated().order_by("evaluation__unevaluated_since")
    return waiting.values_list("evaluation__unevaluated_since", flat=True).first()


def _unapplied_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _age_within(
    at: datetime | None, now: datetime, limit: timedelta, *, needed: bool
) -> dict[str, Any]:
    if at is None:
        return {"ok": not needed, "age_seconds": None}
    return {"ok": now - at <= limit, "age_seconds": round((now - at).total_seconds(), 1)}
