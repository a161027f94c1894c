"""Issues and their cases are kept in step.

`ExternalIssue.sync_due_at` is the queue: a change here, an event from there or the clock makes
an issue due, and whoever claims it reads it anew and compares. Nothing is believed but what is
read, so that lost, doubled, late and reordered events do no harm.

    due ─claim→ leased ─fetch→ compare ─in step────────────────────▶ due again in a while
                                  └─apart→ take (tx) → push → confirm (tx) ─▶
    absent twice, a minute apart → gone: the case stays, looked for every few hours
    failed → due again later, doubled each time; refused credentials pause the account

No transaction is open during a call. What is pushed is read once more right before: Jira has no
conditional write, so that a change there between this read and our write, some milliseconds, is
overwritten.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import OperationalError, transaction
from django.db.models import Case as Choice
from django.db.models import F, Q, QuerySet, Value, When
from django.utils import timezone

from ticketing import accounts, comments, due, pacing
from ticketing.comparing import Pair, changes_of, compare, settings_of
from ticketing.jira_people import People, look_up, meet_those_of
from ticketing.models import Case, ExternalIssue, JiraAccount, SyncMode
from ticketing.pushing import link_to_former, write_there
from ticketing.reconcile import load
from ticketing.states import State
from ticketing.taking import is_followed, locked_issue, take
from ticketing.timeline import Kind, tell
from ticketing.trackers.base import (
    Category,
    Fault,
    IssueState,
    Tracker,
    TrackerError,
)
from ticketing.trackers.registry import tracker_for

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 100
LEASE = timedelta(minutes=5)
OPEN_EVERY = timedelta(minutes=9)  # and the clock rings once a minute
CLOSED_EVERY = timedelta(hours=6)
ABSENT_FOR = timedelta(minutes=1)  # before an issue counts as gone
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=6)
QUIET_FAILURES = 3  # passing faults in a row that nobody is told of


@dataclass(frozen=True, slots=True)
class Batch:
    account: JiraAccount
    issues: Sequence[ExternalIssue]  # with case
    lease: datetime


def sync_due(*, seconds: float = 30) -> int:
    """Look at the issues that are due, for so long; returns at how many."""
    ends = time.monotonic() + seconds
    seen = 0
    while batch := _claim(timezone.now()):
        seen += len(batch.issues)
        _sync(batch, ends=ends)
        if time.monotonic() >= ends:
            due.ring()
            break
    return seen


# --- Claiming ---------------------------------------------------------------------------------


def is_anything_due(now: datetime) -> bool:
    return _due(now).exists()


@transaction.atomic
def _claim(now: datetime) -> Batch | None:
    """Up to a hundred due issues of one account."""
    first = _due(now).select_related("account").first()
    if first is None:
        return None
    of_account = _due(now).filter(account=first.account_id).select_related("case")
    issues = list(of_account.select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])
    if not issues:  # another worker is claiming them this moment
        return None
    lease = now + LEASE
    # Due when the lease ends, should we die. A change meanwhile makes it due at once again.
    ExternalIssue.objects.filter(pk__in=[each.pk for each in issues]).update(
        sync_lease_until=lease, sync_due_at=lease
    )
    for issue in issues:
        issue.account = first.account
    random.shuffle(issues)  # should one of them end the worker, the others have their turn
    return Batch(first.account, issues, lease)


def _due(now: datetime) -> QuerySet[ExternalIssue]:
    return ExternalIssue.objects.filter(
        accounts.may_be_called(now),
        Q(sync_lease_until=None) | Q(sync_lease_until__lte=now),
        state=State.CREATED,
        detached_at=None,
        sync_due_at__lte=now,
    ).order_by("sync_due_at")


# --- Looking ----------------------------------------------------------------------------------


def _sync(batch: Batch, *, ends: float) -> None:
    left = {issue.pk: issue for issue in batch.issues}
    try:
        with tracker_for(batch.account, pace=pacing.pace_for(batch.account)) as tracker:
            states = tracker.fetch([issue.issue_id for issue in batch.issues])
            people = meet_those_of(
                batch.account,
                states.values(),
                persons=[each.case.assignee_id for each in batch.issues if each.case.assignee_id],
            )
            for pk in _in_step(batch, states, people):
                del left[pk]
            for issue in list(left.values()):
                if time.monotonic() >= ends:
                    break
                _look(tracker, issue, states.get(issue.issue_id), people, batch.lease)
                del left[issue.pk]
    except TrackerError as error:
        pacing.heed(batch.account, error)
        accounts.blame(batch.account, error)
        _fail(left.values(), error, batch.lease)
    else:
        _release(left, batch.lease, at=timezone.now())
        JiraAccount.objects.filter(pk=batch.account.pk).update(synced_at=timezone.now())


def _in_step(batch: Batch, states: Mapping[str, IssueState], people: People) -> set[UUID]:
    """Settle those of which nothing differs from what was seen last; constant statements."""
    cases = [issue.case for issue in batch.issues]
    settings, changes = settings_of(cases), changes_of([case.pk for case in cases])
    there = [issue for issue in batch.issues if issue.issue_id in states]
    talking = [
        issue
        for issue in there
        if settings[issue.case.project_id].sync_comments == SyncMode.TWO_WAY
    ]
    talkative = comments.waiting(talking) | comments.news(
        {issue.pk: states[issue.issue_id].comments for issue in talking}
    )
    now = timezone.now()
    same = {
        issue.pk
        for issue in there
        if issue.pk not in talkative
        and _is_in_step(
            Pair(
                issue=issue,
                case=issue.case,
                settings=settings[issue.case.project_id],
                changes=changes.get(issue.case_id, {}),
                people=people,
                state=states[issue.issue_id],
            ),
            now=now,
        )
    }
    _settle(same, batch.lease)
    return same


def _is_in_step(pair: Pair, *, now: datetime) -> bool:
    issue, state = pair.issue, pair.state
    is_as_seen = (issue.remote_updated_at, issue.issue_key, issue.gone_at, issue.missing_at) == (
        state.updated_at,
        state.ref.key,
        None,
        None,
    )
    return is_as_seen and all(
        merged.push is None and merged.write is None and merged.agreed == load(issue.agreed.get(f))
        for f, merged in compare(pair, now=now).items()
    )


def _look(
    tracker: Tracker,
    issue: ExternalIssue,
    state: IssueState | None,
    people: People,
    lease: datetime,
) -> None:
    """One issue, whatever it takes. Raises the TrackerErrors that concern the whole account."""
    try:
        if state is None:
            _miss(issue.pk, lease)
            return
        taken = take(issue.pk, state, people)
        if taken and taken.asks_for:
            people |= look_up(issue.account, taken.asks_for, tracker)
            taken = take(issue.pk, state, people)
        if taken and (taken.pushes or (taken.talks and comments.waiting([issue]))):
            write_there(tracker, issue, until=lease)
        if taken and not issue.agreed:
            link_to_former(tracker, issue, taken.ref)
    except TrackerError as error:
        if error.whole_account or error.fault is Fault.AUTH:
            raise
        _fail([issue], error, lease)
    except OperationalError:  # chosen to give way to another transaction
        log.warning("An issue is looked at again", issue=issue.issue_key, exc_info=True)
        _release([issue.pk], lease, at=timezone.now() + FIRST_WAIT)
    else:
        _settle([issue.pk], lease)


@transaction.atomic
def _miss(issue_pk: UUID, lease: datetime) -> None:
    """Deleted, or hidden from us; an answer that was wrong once does not count."""
    issue = locked_issue(issue_pk)
    now = timezone.now()
    if issue.missing_at is None:
        issue.missing_at = now
    elif issue.gone_at is None and now - issue.missing_at >= ABSENT_FOR and is_followed(issue):
        issue.gone_at = now
        reason = f"{issue.issue_key} was deleted in Jira, or is hidden from our account"
        tell([(issue.case, Kind.ISSUE, issue.issue_key, "")], reason=reason, now=now)
    issue.save(update_fields=("missing_at", "gone_at"))
    at = now + CLOSED_EVERY if issue.gone_at else issue.missing_at + ABSENT_FOR
    _release([issue_pk], lease, at=at)


# --- Settling -------------------------------------------------------------------------------


def _settle(pks: Collection[UUID], lease: datetime) -> None:
    """In step: look again in a while, sooner at what is open on either side."""
    now = timezone.now()
    fine = {"synced_at": now, "sync_problem": "", "sync_failures": 0}
    ours = ExternalIssue.objects.filter(pk__in=pks, sync_lease_until=lease)
    closed = ours.filter(remote_category=Category.DONE.value, case__status=Case.Status.CLOSED)
    for issues, wait in ((closed, CLOSED_EVERY), (ours, OPEN_EVERY)):
        at = now + wait * random.uniform(0.9, 1)  # noqa: S311 — spreads the load
        issues.update(sync_lease_until=None, sync_due_at=_unless_due(lease, at), **fine)


def _release(pks: Iterable[UUID], lease: datetime, *, at: datetime, **said: object) -> None:
    ours = ExternalIssue.objects.filter(pk__in=list(pks), sync_lease_until=lease)
    ours.update(sync_lease_until=None, sync_due_at=_unless_due(lease, at), **said)


def _unless_due(lease: datetime, at: datetime) -> Choice:
    """Something may have made it due since it was claimed: then it stays so."""
    return Choice(When(sync_due_at=lease, then=Value(at)), default=F("sync_due_at"))


def _fail(issues: Iterable[ExternalIssue], error: TrackerError, lease: datetime) -> None:
    now = timezone.now()
    for issue in issues:
        failures = issue.sync_failures + 1
        wait = min(FIRST_WAIT * 2 ** min(failures - 1, 16), LONGEST_WAIT)
        said: dict[str, object] = {"sync_failures": failures}
        if error.fault is Fault.AUTH:
            wait, said = FIRST_WAIT, {}  # the account's matter; it says so itself
        elif error.retry_after is not None:
            wait, said = timedelta(seconds=error.retry_after), {}
        elif error.fault is not Fault.TRANSIENT or failures >= QUIET_FAILURES:
            said["sync_problem"] = error.reason
        _release([issue.pk], lease, at=now + wait, **said)
