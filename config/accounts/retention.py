"""How long rows about people and requests are kept."""

from __future__ import annotations

from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session

from config.accounts.audit.retention import prune, record_pruning
from config.accounts.models import Act, AuditEvent, KeptAnswer
from config.accounts.sign_in_limits import KNOWN_FOR
from config.lib.retention import RowKind, Table, register

register(
    RowKind(
        "audit_events",
        "Audit log",
        days=400,
        why="The head keeps the hash of the last one that went, so the rest stays checkable.",
        tables=[Table(AuditEvent, "at")],
        setting="AUDIT_RETENTION_DAYS",
        delete_some=prune,
        at_end=record_pruning,
    ),
    RowKind(
        "sign_ins",
        "Sign-ins",
        days=180,
        least_days=KNOWN_FOR.days,
        why="After 90 days an address is no longer one that a person usually signs in from.",
        tables=[
            Table(AccessLog, "attempt_time"),
            Table(AccessAttempt, "attempt_time", by_age=True),
        ],
    ),
    RowKind(
        "sessions",
        "Sessions",
        days=0,
        setting="",
        why="Deleted within a minute of their end.",
        tables=[Table(Session, "expire_date")],
        task="config.accounts.tasks.clear_sessions",
    ),
    RowKind(
        "kept_answers",
        "Answers to requests that may be sent again",
        days=1,
        setting="",
        why="A request may be repeated for a day.",
        tables=[Table(KeptAnswer, "created_at")],
        task="config.accounts.tasks.forget_answers",
    ),
    RowKind(
        "acts",
        "What can be undone",
        days=1,
        setting="",
        why="Undo is offered for an hour, and for a day it says that the hour has passed.",
        tables=[Table(Act, "expires_at")],
        task="config.accounts.tasks.forget_acts",
    ),
)
