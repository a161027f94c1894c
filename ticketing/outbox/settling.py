"""What became of a call: each outcome is one small transaction, in which the winner acts.

Locks are taken in the order account, findings, cases, issues, rules.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from config.lib.backoff import doubled
from ticketing import accounts
from ticketing.locking import lock
from ticketing.mirror import mirror
from ticketing.models import Attempt, ExternalIssue, Orphan
from ticketing.outbox import breaking, timing
from ticketing.outbox.claims import Look
from ticketing.outbox.moves import MAX_CREATES, MAX_FAILED_CREATES, move, of
from ticketing.outbox.newest_numbers import number_of, remember_number
from ticketing.states import State
from ticketing.timeline import Kind, tell
from ticketing.trackers.base import Fault, Found, IssueRef, TrackerError

log = structlog.stdlib.get_logger(__name__)

ASK_A_PERSON = (
    "It is not known whether Jira created this ticket, and the lookup could not be completed. "
    "Look for it in Jira: confirm that it was not created, or attach it."
)
_TOO_OFTEN = (
    "Jira was asked {} times to create this ticket and never gave a clear answer. "
    "No ticket was found. Confirm that it was not created to try again."
)
FAILED = "failed"
"""The outcome of a create that likely failed: the tracker says so, or something else answered."""
_random = secrets.SystemRandom()


def settle_created(issue: ExternalIssue, refs: Sequence[IssueRef]) -> bool:
    """Store the issue that was created or found; of several the lowest number is ours.

    The others are kept as orphans, and so are all of them if another has taken its place.
    Returns whether the promise is kept with this.
    """
    ours, *others = sorted(refs, key=_number)
    with transaction.atomic():
        case = lock(case_pks=[issue.case_id]).cases[issue.case_id]
        now = timezone.now()
        won = _store(issue, ours, now=now)
        if won:
            Orphan.objects.filter(issue=issue, remote_id=ours.id).delete()
            reason = f"Found {len(refs)} times in Jira." if others else ""
            tell([(case, Kind.ISSUE, "", ours.key)], reason=reason, now=now)
            mirror([case])
        keep_orphans(issue, others if won else refs)
        if issue.attempt:
            mine = Attempt.objects.filter(pk=issue.attempt, ended_at=None)
            mine.update(ended_at=now, outcome="created")
        numbers = [number_of(ref.key, space_key=issue.space_key) for ref in refs]
        if newest := max(numbers):
            remember_number(issue, newest, at=now)  # last, as others may wait for this row
    log.info("issue created", issue=ours.key, case=case.key, adopted=won)
    return won


def settle_failed(issue: ExternalIssue, error: TrackerError) -> None:
    """Store why a claimed create failed, and do what the fault asks for."""
    with transaction.atomic():
        accounts.blame(issue.account, error)
        match error.fault:
            case Fault.UNSURE:
                _wonder(issue, error)
            case Fault.REJECTED if error.remedy and error.remedy not in issue.remedies:
                _remedy(issue, error)
            case Fault.CONFIG if error.whole_account:
                _wait(issue, error)
            case Fault.REJECTED | Fault.CONFIG:
                _block(issue, error)
            case _:
                _wait(issue, error)
        is_failed = error.fault == Fault.UNSURE and (error.is_answered or error.is_foreign)
        close_try(issue.attempt, FAILED if is_failed else error.fault, error=error)
    log.warning("issue not created", case=issue.case.key, fault=error.fault, status=error.status)


def release(issue: ExternalIssue, *, reason: str = "") -> bool:
    """Give a claim back whose create surely did not leave; False if it was ours no more."""
    now = timezone.now()
    with transaction.atomic():
        close_try(issue.attempt, "released", now=now)
        changes = {"attempts": F("attempts") - 1, "lease_until": None, "reason": reason}
        return bool(move(of(issue), State.SENDING, State.PENDING, not_before=now, **changes))


def settle_look(look: Look, found: Found) -> None:
    """Adopt what was found; believe that there is nothing only when that is proved."""
    issue = look.issue
    if found.refs:
        settle_created(issue, found.refs)
        close_try(look.attempt, "found")
        return
    now = timezone.now()
    with transaction.atomic():
        close_try(look.attempt, "absent" if found.is_complete else "incomplete", now=now)
        age = now - (issue.posted_at or now)
        rows = of(issue).filter(lookups=issue.lookups)
        if found.is_complete and issue.lookups > 0 and now >= _proof_from(issue):
            _absent(rows, issue, now=now)
        elif age >= timing.TIMING.looks[-1] and not found.is_complete:
            _ask(rows, ASK_A_PERSON, issue, now=now)
        else:
            _look_again(rows.filter(state=State.UNSURE), issue, found, now=now)


def is_just_proven(issue: ExternalIssue) -> bool:
    """Whether complete looks of a moment ago have proved that it is not there."""
    recently = timezone.now() - timing.TIMING.believed
    return issue.lookups > 0 and issue.proof_from is not None and issue.proof_from > recently


def look_failed(look: Look, error: TrackerError) -> None:
    """A look-up that did not happen proves nothing: it is made again later."""
    issue, now = look.issue, timezone.now()
    with transaction.atomic():
        accounts.blame(issue.account, error)
        close_try(look.attempt, error.fault, error=error)
        age = now - (issue.posted_at or now)
        rows = of(issue).filter(state=State.UNSURE)
        is_lasting = error.fault in (Fault.CONFIG, Fault.REJECTED) and not error.whole_account
        if is_lasting and age >= timing.TIMING.looks[-1]:
            _ask(rows, f"{ASK_A_PERSON} {error.reason}", issue, now=now)
        else:
            rows.update(not_before=now + _until_next_look(age, error))


def settle_late_look(look: Look, found: Found) -> None:
    """Keep a second issue of a ticket as an orphan; a ticket given up on may be found at last."""
    issue, now = look.issue, timezone.now()
    with transaction.atomic():
        strangers = [ref for ref in found.refs if ref.id != issue.issue_id]
        close_try(look.attempt, "found" if strangers else "absent", now=now)
        if strangers and move(of(issue), State.BLOCKED, State.UNSURE, not_before=now, lookups=0):
            return  # looked up at once, and adopted
        keep_orphans(issue, strangers)
        of(issue).filter(state=issue.state).update(
            lookups=F("lookups") + 1, not_before=_late_look(issue, now)
        )


def late_look_failed(look: Look, error: TrackerError) -> None:
    with transaction.atomic():
        accounts.blame(look.issue.account, error)
        close_try(look.attempt, error.fault, error=error)
        wait = timezone.now() + timing.TIMING.longest_wait
        of(look.issue).filter(state=look.issue.state).update(not_before=wait)


def keep_orphans(issue: ExternalIssue, refs: Sequence[IssueRef]) -> None:
    """Issues there that carry this ticket's key and are not its issue. Never deleted."""
    own = ExternalIssue.objects.values_list("issue_id", flat=True).get(pk=issue.pk)
    refs = [ref for ref in refs if ref.id != own]
    Orphan.objects.bulk_create(
        [
            Orphan(
                issue=issue,
                attempt=issue.attempt,
                remote_id=ref.id,
                remote_key=ref.key,
                reason="A second issue was created for this ticket.",
            )
            for ref in refs
        ],
        ignore_conflicts=True,
    )
    if refs:
        log.error("issue without a promise", issues=[ref.key for ref in refs], case=issue.case_id)


def close_try(
    attempt: UUID | None,
    outcome: str,
    *,
    error: TrackerError | None = None,
    now: datetime | None = None,
) -> None:
    tries = Attempt.objects.filter(pk=attempt) if attempt else Attempt.objects.none()
    tries.update(
        ended_at=now or timezone.now(),
        outcome=outcome,
        status=error.status if error else None,
        reason=error.reason if error else "",
        response=error.response if error else "",
    )


def _store(issue: ExternalIssue, ref: IssueRef, *, now: datetime) -> bool:
    """The issue's key, if the promise still waits for it."""
    kept = {
        "issue_id": ref.id,
        "issue_key": ref.key,
        "delivered_at": now,
        "lease_until": None,
        "fault": "",
        "reason": "",
        "field": "",
        "lookups": 0,
        "not_before": _late_look(issue, now),
        "sync_due_at": now,  # not rung for: that would be a ring for each ticket of a rush
    }
    try:
        with transaction.atomic():
            # Somebody may have given up meanwhile what is there now: never create it again.
            move(of(issue), State.PENDING, State.BLOCKED)
            move(of(issue), State.BLOCKED, State.UNSURE)
            states = (State.SENDING, State.UNSURE)
            return any(move(of(issue), state, State.CREATED, **kept) for state in states)
    except IntegrityError:  # a person attached this very issue to another case meanwhile
        _block_taken(issue, ref)
        return False


def _block_taken(issue: ExternalIssue, ref: IssueRef) -> None:
    holder = ExternalIssue.objects.select_related("case").get(
        account=issue.account_id, issue_id=ref.id, detached_at=None
    )
    changes = {
        "lease_until": None,
        "fault": Fault.REJECTED,
        "reason": f"{ref.key}, created for this ticket, is attached to {holder.case.key}.",
        "lookups": len(timing.TIMING.late_looks),
    }
    for state in (State.SENDING, State.UNSURE, State.PENDING):
        move(of(issue), state, State.BLOCKED, **changes)


def _wonder(issue: ExternalIssue, error: TrackerError) -> None:
    """Perhaps done. When the tracker itself says that it failed, its request has ended; else it
    may still be on its way, and nothing proves that it is not there."""
    now = timezone.now()
    sent = issue.posted_at or now
    move(
        of(issue),
        State.SENDING,
        State.UNSURE,
        lease_until=None,
        not_before=now if error.is_answered else max(now, sent + timing.TIMING.looks[0]),
        proof_from=now if error.is_answered else sent + timing.TIMING.believed,
        was_unsure=True,
        lookups=0,
        **_why(error),
    )


def _remedy(issue: ExternalIssue, error: TrackerError) -> None:
    changes = {"remedies": [*issue.remedies, error.remedy], "not_before": timezone.now()}
    move(of(issue), State.SENDING, State.PENDING, lease_until=None, **changes, **_why(error))


def _block(issue: ExternalIssue, error: TrackerError) -> None:
    why = _why(error) | {"lease_until": None} | _late(issue)
    if move(of(issue), State.SENDING, State.BLOCKED, **why):
        breaking.consider(issue, error)


def _wait(issue: ExternalIssue, error: TrackerError) -> None:
    """Try again later. What the other side asked to wait for does not count as a try."""
    asked = error.retry_after is not None
    not_before = timezone.now() + _back_off(issue.attempts, error)
    move(
        of(issue),
        State.SENDING,
        State.PENDING,
        lease_until=None,
        not_before=not_before,
        attempts=issue.attempts - 1 if asked else issue.attempts,
        **_why(error),
    )


def _look_again(rows: Any, issue: ExternalIssue, found: Found, *, now: datetime) -> None:
    """Not there, or not all was seen: when to look next, and from when on it is proof."""
    sent = issue.posted_at or now
    planned = (sent + look for look in timing.TIMING.looks)
    soonest = now + timing.TIMING.apart
    following = next((at for at in planned if at > now), soonest)
    if not found.is_complete:
        rows.update(not_before=following)
        return
    proof_from = max(_proof_from(issue), soonest)
    rows.update(
        lookups=F("lookups") + 1,
        proof_from=proof_from,
        not_before=min(max(following, soonest), proof_from),
    )


def _proof_from(issue: ExternalIssue) -> datetime:
    """From when on a second complete look proves that the issue is not there."""
    sent = issue.posted_at or issue.created_at
    return issue.proof_from or sent + timing.TIMING.believed


def _absent(rows: Any, issue: ExternalIssue, *, now: datetime) -> None:
    """Surely not there: create it again, unless that was tried too often.

    What the tracker says has failed, and what something else answered in its place, is a passing
    fault, tried again for a long time. What got no answer, and was looked for in vain, is tried
    a few times only: were our account unable to see its issues, each try would make one more.
    """
    creates = issue.tries.filter(operation=Attempt.Operation.CREATE)
    silent = creates.filter(outcome=Fault.UNSURE).count()
    failed = creates.filter(outcome=FAILED).count()
    if silent >= MAX_CREATES or failed >= MAX_FAILED_CREATES:
        _ask(rows, _TOO_OFTEN.format(silent + failed), issue, now=now)
        return
    times = failed - timing.TIMING.soon_again
    wait = doubled(timing.TIMING.first_wait, times, longest=timing.TIMING.longest_wait)
    not_before = max(now, (issue.posted_at or now) + wait) if failed else now
    move(rows, State.UNSURE, State.PENDING, not_before=not_before, reason="Not found in Jira.")


def _ask(rows: Any, reason: str, issue: ExternalIssue, *, now: datetime) -> None:
    changes = {"fault": Fault.UNSURE, "reason": reason, "lookups": 0}
    move(rows, State.UNSURE, State.BLOCKED, not_before=_late_look(issue, now), **changes)


def _late(issue: ExternalIssue) -> dict[str, Any]:
    if not issue.was_unsure:
        return {}
    return {"lookups": 0, "not_before": _late_look(issue, timezone.now())}


def _until_next_look(age: timedelta, error: TrackerError) -> timedelta:
    """After one that failed: the longer ago the create was, the longer."""
    if error.retry_after is not None:
        return timedelta(seconds=error.retry_after)
    return min(max(age / 4, timing.TIMING.first_wait), timing.TIMING.longest_wait)


def _late_look(issue: ExternalIssue, now: datetime) -> datetime:
    sent = issue.posted_at or now
    return next((sent + look for look in timing.TIMING.late_looks if sent + look > now), now)


def _back_off(tries: int, error: TrackerError) -> timedelta:
    """What the other side asked for, or twice as long each time; never at the same moment."""
    jitter = _random.uniform(0.7, 1.3)
    if error.retry_after is not None:
        return timedelta(seconds=error.retry_after) + timing.TIMING.first_wait * (jitter - 0.7)
    unbounded: timedelta = timing.TIMING.first_wait * 2 ** min(max(tries, 1) - 1, 16)
    return min(unbounded * jitter, timing.TIMING.longest_wait)


def _why(error: TrackerError) -> dict[str, str]:
    return {"fault": error.fault.value, "reason": error.reason, "field": error.field}


def _number(ref: IssueRef) -> tuple[int, str]:
    number = ref.key.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0, ref.key
