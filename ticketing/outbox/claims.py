"""Who works on which issue: claims with a lease, committed before anything leaves."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ticketing import accounts
from ticketing.models import Attempt, ExternalIssue, JiraAccount
from ticketing.outbox import timing
from ticketing.outbox.moves import move, of
from ticketing.states import State
from ticketing.trackers.base import Fault, TrackerError

Operation = Attempt.Operation
LOST = "lost"
_LATE_STATES = (State.CREATED, State.BLOCKED, State.CANCELLED)


class ClaimLost(TrackerError):
    """The claim is too old, or somebody else's: nothing was sent."""

    def __init__(self) -> None:
        super().__init__(Fault.TRANSIENT, "The worker was too slow, and sent nothing.")


class Look(NamedTuple):
    """A claimed look-up; `attempt` is the id of its row in the delivery log."""

    issue: ExternalIssue
    attempt: UUID


class Known(NamedTuple):
    number: int  # 0: none
    is_fresh: bool  # hardly any can have been given out since


def due_accounts(now: datetime) -> list[UUID]:
    """Accounts that may be called now and have something to create or to look up."""
    due = ExternalIssue.objects.filter(_waits(now) | _is_late(now), accounts.may_be_called(now))
    return list(due.order_by().values_list("account_id", flat=True).distinct())


def is_anything_due(now: datetime) -> bool:
    """Cheap enough to be asked every few seconds."""
    callable_ = ExternalIssue.objects.filter(accounts.may_be_called(now))
    return callable_.filter(_waits(now)).exists() or callable_.filter(_is_late(now)).exists()


def serve(account_id: UUID, *, seconds: float) -> bool:
    """Become the one worker that delivers for the account; False if there is one already.

    Others would only share its turns, and be missing elsewhere. If it dies the next comes
    when its time is over.
    """
    now = timezone.now()
    free = JiraAccount.objects.filter(Q(served_until=None) | Q(served_until__lte=now))
    until = now + timedelta(seconds=seconds) + timing.TIMING.fresh
    return bool(free.filter(pk=account_id).update(served_until=until))


def leave(account_id: UUID) -> None:
    JiraAccount.objects.filter(pk=account_id).update(served_until=None)


def is_workable(account_id: UUID) -> bool:
    """Whether a claim of the account would find something now."""
    now = timezone.now()
    rows = ExternalIssue.objects.filter(accounts.may_be_called(now), account=account_id)
    unsure = rows.filter(state=State.UNSURE, not_before__lte=now)
    pending = _without_busy_spaces(rows, account_id).filter(
        state=State.PENDING, not_before__lte=now
    )
    return unsure.exists() or pending.exists() or rows.filter(_is_late(now)).exists()


@transaction.atomic(durable=True)
def claim(account_id: UUID, *, only: UUID | None = None) -> ExternalIssue | None:
    """Claim the next issue of the account to create, or the one with id `only`.

    Committed with its lease and its attempt when this returns. None if there is nothing that
    may be created now: not due, its space has a create in flight, the account is stopped.
    """
    now = timezone.now()
    # Claims of an account queue up here, so that none of them ever meets the constraint that
    # a space has one create in flight.
    account = JiraAccount.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if account is None or not accounts.is_callable(account, now=now):
        return None
    rows = ExternalIssue.objects.filter(pk=only) if only else ExternalIssue.objects.all()
    waiting = _without_busy_spaces(rows, account_id).filter(
        account=account_id, state=State.PENDING, not_before__lte=now
    )
    found = (
        waiting.order_by("not_before", "created_at", "pk")
        .select_for_update(skip_locked=True)
        .first()
    )
    if found is None:
        return None
    return _claimed(found, now=now)


def claim_look(account_id: UUID) -> Look | None:
    """Claim the next unsure issue of the account to look for."""
    now = timezone.now()
    due = ExternalIssue.objects.filter(account=account_id, state=State.UNSURE, not_before__lte=now)
    return _claimed_look(due.order_by("not_before"), now=now)


def claim_late_look(account_id: UUID) -> Look | None:
    """Claim an issue that was unsure once, to see whether a second one has shown up."""
    now = timezone.now()
    due = ExternalIssue.objects.filter(_is_late(now), account=account_id)
    return _claimed_look(due.order_by("not_before"), now=now)


def mark_sent(issue: ExternalIssue, *, floor: int) -> None:
    """Write down that the create is about to leave. Raises ClaimLost: then it must not."""
    now = timezone.now()
    issue.floor = min(issue.floor, floor) if issue.was_unsure else floor
    with _written_through():
        if not _fresh(issue, now).update(posted_at=now, floor=issue.floor):
            raise ClaimLost
    issue.posted_at = now


def check_claim(issue: ExternalIssue) -> None:
    """Raises ClaimLost if the create must not leave any more: a worker that slept wakes up
    here, and may be the one of two that both believe the claim is theirs."""
    if not _fresh(issue, timezone.now()).exists():
        raise ClaimLost


def _fresh(issue: ExternalIssue, now: datetime) -> QuerySet[ExternalIssue]:
    """The row, if the claim is still held and young."""
    oldest = now + timing.TIMING.lease - timing.TIMING.fresh
    return of(issue).filter(state=State.SENDING, lease_until__gt=oldest)


@transaction.atomic
def free_expired() -> int:
    """Free what dead workers held: what may have left is unsure, the rest waits again."""
    now = timezone.now()
    expired = ExternalIssue.objects.filter(lease_until__lt=now)
    held = list(expired.filter(state=State.SENDING).values_list("attempt", flat=True))
    if not held:
        return 0
    expired = expired.filter(attempt__in=held)
    freed = move(
        expired.filter(posted_at=None),
        State.SENDING,
        State.PENDING,
        lease_until=None,
        not_before=now,
        reason="The worker was lost before it sent anything.",
    )
    freed += move(
        expired,
        State.SENDING,
        State.UNSURE,
        lease_until=None,
        not_before=now,
        was_unsure=True,
        lookups=0,
        fault="unsure",
        reason="The worker was lost while Jira was creating the issue.",
    )
    tries = Attempt.objects.filter(pk__in=[pk for pk in held if pk], ended_at=None)
    unsure = ExternalIssue.objects.filter(state=State.UNSURE).values("attempt")
    tries.filter(pk__in=unsure).update(ended_at=now, outcome="unsure", reason="Worker lost.")
    tries.update(ended_at=now, outcome=LOST, reason="Worker lost.")
    return freed


def known_number(issue: ExternalIssue) -> Known:
    """A number that the issues of its space have reached, as far as our own creates tell."""
    ours = ExternalIssue.objects.filter(
        account=issue.account_id,
        space_id=issue.space_id,
        state=State.CREATED,
        issue_key__startswith=f"{issue.space_key}-",  # else it was moved, and is of another space
        attempt__isnull=False,  # else a person attached it, and it may be an old one
    ).order_by("-delivered_at")
    latest = ours.values_list("issue_key", "delivered_at").first()
    if latest is None or not (number := latest[0].rpartition("-")[2]).isdecimal():
        return Known(0, is_fresh=False)
    age = timezone.now() - (latest[1] or issue.created_at)
    return Known(int(number), is_fresh=age < timing.TIMING.number_is_fresh)


def _claimed(found: ExternalIssue, *, now: datetime) -> ExternalIssue | None:
    attempt = uuid.uuid4()
    won = move(
        ExternalIssue.objects.filter(pk=found.pk),
        State.PENDING,
        State.SENDING,
        attempt=attempt,
        attempts=F("attempts") + 1,
        lease_until=now + timing.TIMING.lease,
        posted_at=None,
    )
    if not won:
        return None
    Attempt.objects.create(
        id=attempt, issue_id=found.pk, operation=Operation.CREATE, started_at=now
    )
    return _read(found.pk)


def _claimed_look(due: QuerySet[ExternalIssue], *, now: datetime) -> Look | None:
    """The first of those due that nobody else takes: taking one puts it off for a while."""
    for pk, not_before in due.values_list("pk", "not_before")[:5]:
        mine = ExternalIssue.objects.filter(pk=pk, not_before=not_before)
        with transaction.atomic(durable=True):
            if mine.update(not_before=now + timing.TIMING.look_lease):
                attempt = Attempt.objects.create(
                    issue_id=pk, operation=Operation.FIND, started_at=now
                )
                return Look(_read(pk), attempt.pk)
    return None


def _read(pk: UUID) -> ExternalIssue:
    return ExternalIssue.objects.select_related("case__project", "account").get(pk=pk)


def _without_busy_spaces(
    rows: QuerySet[ExternalIssue], account_id: UUID
) -> QuerySet[ExternalIssue]:
    """Those in spaces of the account that have no create in flight."""
    busy = ExternalIssue.objects.filter(account=account_id, state=State.SENDING)
    return rows.exclude(space_id__in=busy.values("space_id"))


def _waits(now: datetime) -> Q:
    return Q(state__in=[State.PENDING, State.UNSURE], not_before__lte=now)


def _is_late(now: datetime) -> Q:
    return Q(
        was_unsure=True,
        state__in=_LATE_STATES,
        lookups__lt=len(timing.TIMING.late_looks),
        not_before__lte=now,
    )


@contextmanager
def _written_through() -> Iterator[None]:
    """SQLite, as we set it, may lose its last commits with the power: not this one."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous=NORMAL")
