"""How long what tickets leave behind is kept. Cases, their issues and comments stay forever."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from config.lib.retention import RowKind, Table, register
from ticketing.models import (
    Attempt,
    BulkRun,
    Case,
    RequestHour,
    TimelineEntry,
    WebhookEvent,
)
from ticketing.states import State

_Kind = TimelineEntry.Kind
_STAY = (_Kind.CREATED, _Kind.COMMENT, _Kind.MOVED, _Kind.RESOLVED)
"""What a closed case is explained by, and found by under its former key."""


def _is_not_the_last_of_settled() -> Q:
    newer = Attempt.objects.filter(issue=OuterRef("issue"), started_at__gt=OuterRef("started_at"))
    return Q(issue__state__in=[State.CREATED, State.CANCELLED], issue__act_at=None) & Q(
        Exists(newer)
    )


def _of_closed_cases() -> Q:
    newer = TimelineEntry.objects.filter(
        case=OuterRef("case"), kind=OuterRef("kind"), created_at__gt=OuterRef("created_at")
    )
    return Q(case__status=Case.Status.CLOSED) & ~Q(kind__in=_STAY) & Q(Exists(newer))


register(
    RowKind(
        "attempts",
        "Delivery log",
        days=180,
        least_days=7,
        why="The last attempt of each ticket stays, and all of one that is not delivered.",
        tables=[Table(Attempt, "started_at", _is_not_the_last_of_settled(), by_age=True)],
    ),
    RowKind(
        "case_events",
        "Events of cases",
        days=0,
        least_days=90,
        why="Those of open cases stay; of closed ones comments, and the last event of each kind.",
        tables=[Table(TimelineEntry, "created_at", _of_closed_cases())],
    ),
    RowKind(
        "bulk_runs",
        "Bulk runs",
        days=90,
        least_days=7,
        why="Their steps go with them. What they did is in the audit log, and with each finding.",
        tables=[Table(BulkRun, "finished_at", by_age=True)],
        chunk=1,  # each has up to ten thousand steps
    ),
    RowKind(
        "webhook_events",
        "Events from Jira",
        days=7,
        why="They are kept to know the same one again.",
        tables=[Table(WebhookEvent, "received_at")],
        chunk=5_000,
    ),
    RowKind(
        "request_hours",
        "Requests to Jira, by hour",
        days=90,
        least_days=2,
        why="The page of integrations shows the last day.",
        tables=[Table(RequestHour, "hour")],
    ),
)
