"""What a person does about tickets that wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from config.accounts.access import Actor
from ticketing.models import Case, Destination, ExternalIssue
from ticketing.outbox.moves import move
from ticketing.outbox.promises import place_of, ring
from ticketing.states import State
from ticketing.timeline import Kind, tell
from ticketing.trackers.base import Fault

log = structlog.stdlib.get_logger(__name__)
_AGAIN: dict[str, Any] = {"fault": "", "reason": "", "field": "", "attempts": 0, "remedies": []}


def retry_now(issue: ExternalIssue, *, actor: Actor) -> bool:
    """Try (or, of an unsure one, look) at once; False if there is nothing to try."""
    return bool(retry_all([issue.pk], actor=actor))


@transaction.atomic
def retry_all(issue_pks: Collection[UUID], *, actor: Actor) -> int:
    """The same of several; returns of how many there was something to try."""
    now = timezone.now()
    wait = ExternalIssue.objects.filter(
        pk__in=issue_pks, state__in=(State.BLOCKED, State.PENDING, State.UNSURE)
    )
    locked = list(wait.order_by("pk").select_for_update().values_list("pk", flat=True))
    if locked:
        rows = ExternalIssue.objects.filter(pk__in=locked)
        rows.exclude(state=State.BLOCKED).update(not_before=now)
        unsure = rows.filter(fault=Fault.UNSURE)
        move(unsure, State.BLOCKED, State.UNSURE, not_before=now, lookups=0)
        move(rows, State.BLOCKED, State.PENDING, not_before=now, **_AGAIN)
        _tell(rows, "Tried again.", actor=actor)
        ring()
    return len(locked)


def confirm_absent(issue: ExternalIssue, *, actor: Actor) -> bool:
    """A person looked: Jira did not create it. It is created again; False if it was too late."""
    rows = ExternalIssue.objects.filter(pk=issue.pk, fault=Fault.UNSURE)
    with transaction.atomic():
        moved = move(
            rows, State.BLOCKED, State.PENDING, not_before=timezone.now(), **_AGAIN
        ) or move(rows, State.UNSURE, State.PENDING, not_before=timezone.now(), **_AGAIN)
        if moved:
            reason = "Confirmed that it was not created, and tried again."
            _tell(ExternalIssue.objects.filter(pk=issue.pk), reason, actor=actor)
            ring()
    return bool(moved)


@transaction.atomic
def deliver_waiting(
    rule_id: UUID,
    *,
    fields: Mapping[str, Any] | None,
    project_id: UUID | None = None,
    actor: Actor,
) -> int:
    """Send what waits for the rule to be repaired, with its present fields; returns how many.

    They go to the present place of their case's project, or to that of `project_id`: the
    place that was repaired may be another one. What may be in Jira already is not among them.
    """
    now = timezone.now()
    waiting = _waiting([rule_id])
    projects = waiting.order_by().values_list("case__project_id", flat=True).distinct()
    wanted = [project_id] if project_id else list(projects)
    delivered = 0
    for place in Destination.objects.filter(project__in=wanted):
        rows = waiting if project_id else waiting.filter(case__project_id=place.project_id)
        said = place_of(place) | {"fields": dict(fields or {})} | _AGAIN
        delivered += move(rows, State.BLOCKED, State.PENDING, not_before=now, **said)
    if delivered:
        log.info("waiting tickets delivered", rule=rule_id, count=delivered, by=str(actor))
        ring()
    return delivered


def waiting_count(rule_ids: Collection[UUID]) -> dict[UUID, int]:
    """Rule → how many of its tickets wait for it to be repaired; rules without any are left out."""
    counted = (
        _waiting(rule_ids).order_by().values_list("case__rule_id").annotate(number=Count("pk"))
    )
    return {rule_id: number for rule_id, number in counted if rule_id is not None}


def _waiting(rule_ids: Collection[UUID]) -> QuerySet[ExternalIssue]:
    return ExternalIssue.objects.filter(
        case__rule_id__in=rule_ids,
        case__origin__in=Case.MADE_BY_RULES,
        state=State.BLOCKED,
    ).exclude(fault=Fault.UNSURE)


def _tell(rows: QuerySet[ExternalIssue], reason: str, *, actor: Actor) -> None:
    cases = [issue.case for issue in rows.select_related("case")]
    told = [(case, Kind.ISSUE, "", "") for case in cases]
    tell(told, actor=actor, reason=reason, now=timezone.now())
