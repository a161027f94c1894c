"""Cases close and re-open with their findings; the finding is the source of truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from findings.facts import OPEN_STATUSES
from ticketing.due import mark_due
from ticketing.locking import lock
from ticketing.mirror import mirror
from ticketing.models import Attachment, Case
from ticketing.timeline import Kind, tell


@transaction.atomic
def follow_findings() -> int:
    """Close and re-open cases by what became of their findings; returns how many changed.

    Works on edges, not levels: each attachment remembers whether its finding was open when
    it was last followed, so a person's own closing or re-opening is not undone, and running
    this twice, late or at once with another worker changes nothing.
    """
    edges = Attachment.objects.annotate(is_open=Q(finding__status__in=OPEN_STATUSES)).exclude(
        finding_is_open=F("is_open")
    )
    touched = set(edges.values_list("case_id", flat=True))
    if not touched:
        return 0
    cases = lock(case_pks=touched).cases
    case_of = {
        is_open: dict(edges.filter(case__in=cases, is_open=is_open).values_list("pk", "case_id"))
        for is_open in (True, False)
    }
    for is_open, attachments in case_of.items():
        Attachment.objects.filter(pk__in=attachments).update(finding_is_open=is_open)
    now = timezone.now()
    woken, quiet = ([cases[pk] for pk in set(case_of[is_open].values())] for is_open in case_of)
    reopened = reopen(woken, reason="A finding opened again.", now=now)
    return reopened + close_if_done(quiet, now=now)


def reopen(cases: Sequence[Case], *, reason: str, now: datetime) -> int:
    """Open those (locked) cases that are closed, where their project wants it."""
    closed = [
        case
        for case in cases
        if case.status == Case.Status.CLOSED and case.project.reopens_with_findings
    ]
    _turn(closed, to=Case.Status.OPEN, reason=reason, now=now)
    return len(closed)


def close_if_done(cases: Sequence[Case], *, now: datetime) -> int:
    """Close those (locked) cases that no open finding is attached to any more."""
    at_work = set(
        Attachment.objects.filter(case__in=cases, finding__status__in=OPEN_STATUSES).values_list(
            "case_id", flat=True
        )
    )
    done = [
        case
        for case in cases
        if case.project.closes_with_findings
        and case.status != Case.Status.CLOSED
        and case.pk not in at_work
    ]
    _turn(done, to=Case.Status.CLOSED, reason="No open finding is left on it.", now=now)
    return len(done)


def set_status(case: Case, status: str, *, now: datetime) -> None:
    case.status = status
    case.closed_at = now if status == Case.Status.CLOSED else None
    case.modified_at = now


def _turn(cases: Sequence[Case], *, to: Case.Status, reason: str, now: datetime) -> None:
    if not cases:
        return
    tell([(case, Kind.STATUS, case.status, to) for case in cases], reason=reason, now=now)
    for case in cases:
        set_status(case, to, now=now)
    Case.objects.bulk_update(cases, ("status", "closed_at", "modified_at"))
    mirror(cases)
    mark_due(cases)
