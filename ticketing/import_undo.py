"""The tickets of an import that is undone: archived here, kept in the tracker and told so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils import timezone

from config.accounts.models import User
from findings.models import Import
from ticketing.attachments import release
from ticketing.due import mark_due
from ticketing.locking import lock
from ticketing.models import Attachment, Case, ExternalIssue
from ticketing.outbox.moves import move
from ticketing.states import State
from ticketing.timeline import Kind, tell

NEWS = "The report was undone that this ticket was created for. None of its findings is left."
_NOT_SENT = (State.PENDING, State.BLOCKED)


def let_go(
    pks: Sequence[int], *, run: Import, actor: User | None, may_go: Callable[[], list[int]]
) -> list[int]:
    """Take the tickets off findings, inside the transaction that undoes the import; those that a
    person put on a ticket are answered, and stay.

    Some dozen statements, and a few more where tickets are left without findings.
    """
    locked = lock(finding_pks=pks)
    since = Attachment.objects.filter(finding__in=pks, created_at__gte=run.started_at)
    by_hand = set(since.filter(created_by__isnull=False).values_list("finding_id", flat=True))
    going = [pk for pk in may_go() if pk not in by_hand]
    ours = since.filter(finding__in=going)
    cases = set(ours.values_list("case_id", flat=True))
    release(list(ours.values_list("finding_id", flat=True)), locked, actor=actor)
    held = set(Attachment.objects.filter(case__in=cases).values_list("case_id", flat=True))
    _archive([locked.cases[pk] for pk in sorted(cases - held)], actor=actor)
    return sorted(by_hand)


def _archive(cases: Sequence[Case], *, actor: User | None) -> None:
    """What is not in the tracker yet does not come there any more."""
    if not cases:
        return
    now = timezone.now()
    pks = [case.pk for case in cases]
    Case.objects.filter(pk__in=pks, archived_at=None).update(archived_at=now, modified_at=now)
    tell([(case, Kind.ARCHIVED, "", "") for case in cases], actor=actor, now=now)
    issues = ExternalIssue.objects.filter(case__in=pks, detached_at=None)
    for state in _NOT_SENT:
        move(issues.exclude(fault="unsure"), state, State.CANCELLED)
    kept = set(issues.exclude(state=State.CANCELLED).values_list("case_id", flat=True))
    told = [case for case in cases if case.pk in kept]
    tell([(case, Kind.COMMENT, "", NEWS) for case in told], actor=actor, now=now)
    mark_due(told)
