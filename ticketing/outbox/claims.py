"""Who works on which issue: claims with a lease, committed before anything leaves."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from config.lib.workers import worker_name
from ticketing import accounts, pacing
from ticketing.models import Attempt, ExternalIssue, JiraAccount
from ticketing.outbox import timing, waiting
from ticketing.outbox.moves import move, of
from ticketing.states import State
from ticketing.trackers.base import Fault, TrackerError

Operation = Attempt.Operation
LONGEST_CHECK = 5.0  # seconds
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while machines sleep


class ClaimLost(TrackerError):
    """The claim is too old, or somebody else's: nothing was sent."""

    def __init__(self) -> None:
        super().__init__(Fault.TRANSIENT, "The worker was too slow, and sent nothing.")


class Look(NamedTuple):
    """A claimed look-up; `attempt` is the id of its row in the delivery log."""

    issue: ExternalIssue
    attempt: UUID


def serve(account_id: UUID, *, seconds: float) -> bool:
    """Become the one worker process that delivers for the account; False if there is one.

    It has threads enough to fill the account's turns: others would only share them, and be
    missing elsewhere. If it dies the next comes at once (`lost`), or when its time is over.
    """
    now = timezone.now()
    free = JiraAccount.objects.filter(Q(served_until=None) | Q(served_until__lte=now))
    until = now + timedelta(seconds=seconds) + timing.TIMING.fresh
    mine = {"served_until": until, "served_by": worker_name()}
    return bool(free.filter(pk=account_id).update(**mine))


def leave(account_id: UUID) -> None:
    ours = JiraAccount.objects.filter(pk=account_id, served_by=worker_name())
    ours.update(served_until=None, served_by="")


@transaction.atomic(durable=True)
def claim(account_id: UUID, *, only: UUID | None = None) -> ExternalIssue | None:
    """Claim the next issue of the account to create, or the one with id `only`.

    Committed with its slot, its lease and its attempt when this returns. None if there is
    nothing that may be created now: not due, no slot left in its space, the account stopped.
    """
    now = timezone.now()
    # Claims of an account queue up here, so that none of them ever meets the constraint that
    # a slot has one create in flight.
    account = JiraAccount.objects.select_for_update(no_key=True).filter(pk=account_id).first()
    if account is None or not accounts.is_callable(account, now=now):
        return None
    if not (only or waiting.may_create(account, now)):
        return None
    rows = waiting.pending(account, now)
    found = (rows.filter(pk=only) if only else rows).select_for_update(skip_locked=True).first()
    if found is None:
        return None
    used = waiting.slots_in_use(account)[found.space_id]
    slot = next(each for each in range(waiting.slots_of(account)) if each not in used)
    claimed = _claimed(found, slot=slot, now=now)
    if claimed and not only:
        pacing.let_one_through(account, now)
    return claimed


def claim_looks(account_id: UUID) -> list[Look]:
    """Claim unsure issues of the account to look for: all of one space that are due."""
    now = timezone.now()
    return _claimed_looks(waiting.unsure(account_id, now), now=now)


def claim_look(issue: ExternalIssue) -> Look | None:
    """Claim the issue that has just become unsure to look for, before anybody else does."""
    looks = _claimed_looks(of(issue).filter(state=State.UNSURE), now=timezone.now())
    return looks[0] if looks else None


def claim_late_looks(account_id: UUID) -> list[Look]:
    """Claim issues that were unsure once, to see whether a second one has shown up."""
    now = timezone.now()
    return _claimed_looks(waiting.late(account_id, now), now=now)


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
    here, and may be the one of two that both believe the claim is theirs.

    Made when the connection stands, as the last thing before the bytes are handed to the
    system. An answer that was long in coming proves nothing: we may have slept since.
    """
    begun = time.clock_gettime(_CLOCK)
    is_fresh = _fresh(issue, timezone.now()).exists()
    if not is_fresh or time.clock_gettime(_CLOCK) - begun > LONGEST_CHECK:
        raise ClaimLost


def _fresh(issue: ExternalIssue, now: datetime) -> QuerySet[ExternalIssue]:
    """The row, if the claim is still held and young."""
    oldest = now + timing.TIMING.lease - timing.TIMING.fresh
    return of(issue).filter(state=State.SENDING, lease_until__gt=oldest)


def _claimed(found: ExternalIssue, *, slot: int, now: datetime) -> ExternalIssue | None:
    attempt = uuid.uuid4()
    won = move(
        ExternalIssue.objects.filter(pk=found.pk),
        State.PENDING,
        State.SENDING,
        attempt=attempt,
        attempts=F("attempts") + 1,
        slot=slot,
        worker=worker_name(),
        lease_until=now + timing.TIMING.lease,
        posted_at=None,
    )
    if not won:
        return None
    Attempt.objects.create(
        id=attempt, issue_id=found.pk, operation=Operation.CREATE, started_at=now
    )
    return _read(found.pk)


@transaction.atomic(durable=True)
def _claimed_looks(due: QuerySet[ExternalIssue], *, now: datetime) -> list[Look]:
    """Those of the first one's space that nobody else takes: taking puts them off for a while."""
    first = due.values_list("space_id", flat=True).first()
    if first is None:
        return []
    looks = []
    together = due.filter(space_id=first).values_list("pk", "not_before")
    for pk, not_before in together[: waiting.MAX_AT_ONCE]:
        mine = ExternalIssue.objects.filter(pk=pk, not_before=not_before)
        if mine.update(not_before=now + timing.TIMING.look_lease):
            attempt = Attempt.objects.create(issue_id=pk, operation=Operation.FIND, started_at=now)
            looks.append(Look(_read(pk), attempt.pk))
    return looks


def _read(pk: UUID) -> ExternalIssue:
    return ExternalIssue.objects.select_related("case__project", "account").get(pk=pk)


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
