"""When an issue is looked at next, and what its case says until then."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case as Choice
from django.db.models import F, Value, When
from django.utils import timezone

from config.lib.backoff import doubled
from ticketing.models import Case, ExternalIssue
from ticketing.trackers.base import AnswerMissing, Category, Fault, TrackerError

OPEN_EVERY, CLOSED_EVERY = timedelta(minutes=9), timedelta(hours=6)
ROUND_OF_OPEN, ROUND_OF_CLOSED = timedelta(hours=2), timedelta(hours=24)
"""The same where polls tell of changes, and only what they cannot show is left to find."""
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
QUIET_FAILURES = 3  # passing faults in a row that nobody is told of


def settle(pks: Collection[UUID], lease: datetime, *, polled: Collection[str]) -> None:
    """In step: look again in a while, sooner at what is open on either side."""
    now = timezone.now()
    fine = {"synced_at": now, "sync_problem": "", "sync_failures": 0, **_blocked_by(None)}
    ours = ExternalIssue.objects.filter(pk__in=pks, sync_lease_until=lease)
    closed = ours.filter(remote_category=Category.DONE.value, case__status=Case.Status.CLOSED)
    waits = ((closed, CLOSED_EVERY, ROUND_OF_CLOSED), (ours, OPEN_EVERY, ROUND_OF_OPEN))
    for issues, alone, in_round in waits:
        luck = random.uniform(0.9, 1)  # noqa: S311 — spreads the load
        at = Choice(
            When(space_id__in=polled, then=Value(now + in_round * luck)),
            default=Value(now + alone * luck),
        )
        issues.update(sync_lease_until=None, sync_due_at=_unless_due(lease, at), **fine)


def release(pks: Iterable[UUID], lease: datetime, *, at: datetime, **values: object) -> None:
    ours = ExternalIssue.objects.filter(pk__in=list(pks), sync_lease_until=lease)
    ours.update(sync_lease_until=None, sync_due_at=_unless_due(lease, Value(at)), **values)


def failed(issue: ExternalIssue, error: TrackerError, lease: datetime) -> None:
    """Its own trouble: look again later, twice as long each time, and say why if it lasts."""
    failures = min(issue.sync_failures + 1, 1_000)
    wait = doubled(FIRST_WAIT, failures - 1, longest=LONGEST_WAIT)
    values: dict[str, object] = {"sync_failures": failures}
    if error.retry_after is not None:
        wait, values = timedelta(seconds=error.retry_after), {}
    elif error.fault is not Fault.TRANSIENT or failures >= QUIET_FAILURES:
        values |= {"sync_problem": error.reason, **_blocked_by(error)}
    release([issue.pk], lease, at=timezone.now() + wait, **values)


def _blocked_by(error: TrackerError | None) -> dict[str, object]:
    """The field that keeps it from being closed there, if one does."""
    field, name = (error.field, error.name) if isinstance(error, AnswerMissing) else ("", "")
    return {"closing_field": field[:255], "closing_field_name": name[:255]}


def _unless_due(lease: datetime, at: Value | Choice) -> Choice:
    """Something may have made it due since it was claimed: then it stays so."""
    return Choice(When(sync_due_at=lease, then=at), default=F("sync_due_at"))
