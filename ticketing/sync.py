"""Issues and their cases are kept in step.

`ExternalIssue.sync_due_at` is the queue: a change here, an event from there, a poll of its space
or the clock makes an issue due, and whoever claims it reads it anew and compares. Nothing is
believed but what is read, so that lost, doubled, late and reordered events do no harm.

    due ─claim→ leased ─fetch→ compare ─in step────────────────────▶ due again in a while
                                  └─apart→ take (tx) → push → confirm (tx) ─▶
    absent twice, a minute apart → gone: the case stays, looked for every few hours
    failed → due again later, doubled each time: its own problem, the others are settled
    Jira itself fails → the account's sync rests for a while; its other calls go on

One worker serves an account, for its share of the task's deadline, from which each call takes its
time-out. What is read is settled before more is read, so that however slow Jira is, no work is
lost when time is over.

No transaction is open during a call. What is pushed is read once more right before: Jira has no
conditional write, so that a change there between this read and our write, some milliseconds, is
overwritten.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from config.lib.backoff import doubled
from config.lib.deadline import TASK_SECONDS, Deadline
from ticketing import accounts, comments, due, pacing, space_polls, sync_schedule
from ticketing.comparing import Pair, changes_of, compare, due_date_fields, settings_of
from ticketing.jira_people import People, look_up, meet_those_of
from ticketing.models import ExternalIssue, JiraAccount, SpacePoll, SyncMode
from ticketing.pushing import link_to_former, write_there
from ticketing.reconcile import load
from ticketing.states import State
from ticketing.taking import is_followed, locked_issue, take
from ticketing.timeline import Kind, tell
from ticketing.trackers.base import (
    IssueState,
    OutOfTime,
    Tracker,
    TrackerError,
)
from ticketing.trackers.registry import tracker_for

log = structlog.stdlib.get_logger(__name__)
AT_ONCE = 100
FIRST_READ = 10  # issues; twice as many each time, as long as that takes no time
QUICK = 2.0  # seconds
SHORTEST_SHARE = 5.0  # seconds for an account, however many there are
PATIENCE = 8.0  # seconds without a sign of life, before Jira counts as hanging
LEASE = timedelta(minutes=2)
SERVED = timedelta(minutes=1)  # no task lives longer
GONE_EVERY = timedelta(hours=6)
ABSENT_FOR = timedelta(minutes=1)  # before an issue counts as gone
LONGEST_REST = timedelta(minutes=5)  # of an account whose Jira fails
HANGS = "Jira does not answer in time."


@dataclass(frozen=True, slots=True)
class Batch:
    account: JiraAccount
    issues: Sequence[ExternalIssue]  # with case
    lease: datetime


def sync_due(*, seconds: float = TASK_SECONDS) -> int:
    """Look at the issues that are due, for so long; returns at how many."""
    deadline = Deadline(seconds)
    account_ids = _due_accounts(timezone.now())
    seen = 0
    for left, account_id in zip(range(len(account_ids), 0, -1), account_ids, strict=True):
        if deadline.is_over:
            due.ring()
            break
        share = deadline.within(max(deadline.left / left, SHORTEST_SHARE))
        if _serve(account_id):
            try:
                seen += _Session(account_id, share).run()
            finally:
                JiraAccount.objects.filter(pk=account_id).update(sync_served_until=None)
    return seen


# --- Claiming ---------------------------------------------------------------------------------


def is_anything_due(now: datetime) -> bool:
    return _due(now).exists()


def _due_accounts(now: datetime) -> list[UUID]:
    """Accounts with something to do, in no order, but for those whose Jira failed: they are last,
    so that waiting for it keeps nobody else waiting."""
    has_issues = _due(now).order_by().values("account")
    has_polls = SpacePoll.objects.filter(due_at__lte=now).values("account")
    rows = JiraAccount.objects.filter(
        Q(pk__in=has_issues) | Q(pk__in=has_polls),
        Q(sync_paused_until=None) | Q(sync_paused_until__lte=now),
        accounts.is_callable_at(now),
    )
    found = list(rows.order_by().values_list("sync_failures", "pk"))
    random.shuffle(found)
    return [pk for _, pk in sorted(found, key=lambda row: row[0])]


def _serve(account_id: UUID) -> bool:
    """Become the one worker that syncs the account; False if there is one already."""
    now = timezone.now()
    free = JiraAccount.objects.filter(Q(sync_served_until=None) | Q(sync_served_until__lte=now))
    return bool(free.filter(pk=account_id).update(sync_served_until=now + SERVED))


@transaction.atomic
def _claim(account: JiraAccount) -> Batch | None:
    """Up to a hundred due issues of the account."""
    now = timezone.now()
    rows = _due(now).filter(account=account).select_related("case__jira_assignee")
    issues = list(rows.select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])
    if not issues:
        return None
    lease = now + LEASE
    # Due when the lease ends, should we die. A change meanwhile makes it due at once again.
    ExternalIssue.objects.filter(pk__in=[each.pk for each in issues]).update(
        sync_lease_until=lease, sync_due_at=lease
    )
    for issue in issues:
        issue.account = account
    random.shuffle(issues)  # should one of them end the worker, the others have their turn
    return Batch(account, issues, lease)


def _due(now: datetime) -> QuerySet[ExternalIssue]:
    return ExternalIssue.objects.filter(
        accounts.may_be_called(now),
        Q(account__sync_paused_until=None) | Q(account__sync_paused_until__lte=now),
        Q(sync_lease_until=None) | Q(sync_lease_until__lte=now),
        state=State.CREATED,
        detached_at=None,
        sync_due_at__lte=now,
    ).order_by("sync_due_at")


# --- Looking ----------------------------------------------------------------------------------


class _Session:
    """One worker with one account, until nothing is due or its share of the time is over."""

    def __init__(self, account_id: UUID, deadline: Deadline) -> None:
        self._account = JiraAccount.objects.get(pk=account_id)
        self._deadline = deadline
        self._started_at = timezone.now()
        self._seen = 0
        self._size = FIRST_READ
        self._polled: set[str] = set()  # spaces whose changes we hear of
        self._known: set[str] = set()  # spaces that are polled, or shall be

    def run(self) -> int:
        account, pace = self._account, pacing.pace_for(self._account)
        try:
            with tracker_for(
                account,
                pace=pace,
                deadline=self._deadline,
                patience=PATIENCE,
                dates=due_date_fields(account),
            ) as tracker:
                # Not more than half of the time, or many spaces would leave none for their issues.
                half = self._deadline.within(self._deadline.left / 2)
                space_polls.poll_due(account, tracker, deadline=half)
                self._known, self._polled = space_polls.known(account)
                while batch := _claim(account):
                    self._work(tracker, batch)
        except OutOfTime as late:
            if self._seen == 0:
                self._rest(late)
            due.ring()
        except TrackerError as error:
            pacing.heed(account, error)
            accounts.blame(account, error)
            if not error.suspicious:
                self._rest(error)
        else:
            self._works()
        return self._seen

    def _work(self, tracker: Tracker, batch: Batch) -> None:
        """Read and settle the issues of a batch, some at a time. Those left are due again."""
        left = {issue.pk: issue for issue in batch.issues}
        try:
            while left:
                if self._deadline.is_over:
                    raise OutOfTime
                some = list(left.values())[: self._size]
                before = self._deadline.left
                states = tracker.fetch([issue.issue_id for issue in some])
                is_quick = before - self._deadline.left < QUICK
                self._size = min(2 * self._size, AT_ONCE) if is_quick else FIRST_READ
                self._settle_some(tracker, Batch(batch.account, some, batch.lease), states, left)
        finally:
            sync_schedule.release(left, batch.lease, at=timezone.now())

    def _settle_some(
        self,
        tracker: Tracker,
        batch: Batch,
        found: Mapping[str, IssueState | TrackerError],
        left: dict[UUID, ExternalIssue],
    ) -> None:
        states = {pk: state for pk, state in found.items() if isinstance(state, IssueState)}
        persons = [each.case.assignee_id for each in batch.issues if each.case.assignee_id]
        people = meet_those_of(batch.account, states.values(), persons=persons)
        same = _in_step(batch, states, people)
        self._follow({state.space_id for state in states.values()})
        sync_schedule.settle(same, batch.lease, polled=self._polled)
        for issue in batch.issues:
            if issue.pk not in same:
                state = found.get(issue.issue_id)
                if isinstance(state, OutOfTime):
                    continue
                if isinstance(state, TrackerError):
                    sync_schedule.failed(issue, state, batch.lease)
                else:
                    self._look(tracker, issue, state, people, batch.lease)
            del left[issue.pk]
            self._seen += 1

    def _follow(self, space_ids: set[str]) -> None:
        if fresh := space_ids - self._known:
            space_polls.follow_spaces(self._account, fresh, since=self._started_at)
            self._polled |= fresh
            self._known |= fresh

    def _look(
        self,
        tracker: Tracker,
        issue: ExternalIssue,
        state: IssueState | None,
        people: People,
        lease: datetime,
    ) -> None:
        """One issue, whatever it takes. Raises the TrackerErrors that concern the account."""
        try:
            if state is None:
                _miss(issue.pk, lease)
                return
            _take_and_write(tracker, issue, state, people, lease)
        except TrackerError as error:
            if error.suspicious:
                tracker.identify()  # raises, if it is not this issue's own trouble
            elif error.whole_account:
                raise
            pacing.heed_endpoint(self._account, error)
            sync_schedule.failed(issue, error, lease)
        except OperationalError:  # chosen to give way to another transaction
            log.warning("An issue is looked at again", issue=issue.issue_key, exc_info=True)
            at = timezone.now() + sync_schedule.FIRST_WAIT
            sync_schedule.release([issue.pk], lease, at=at)
        else:
            sync_schedule.settle([issue.pk], lease, polled=self._polled)

    def _rest(self, error: TrackerError) -> None:
        """Jira fails as a whole: ask it for nothing more for a while, longer each time. What it
        asks for itself is no failure."""
        now, rows = timezone.now(), JiraAccount.objects.filter(pk=self._account.pk)
        if error.retry_after is not None and not isinstance(error, OutOfTime):
            rows.update(sync_paused_until=now + timedelta(seconds=error.retry_after))
            return
        failures = 1 if self._seen else self._account.sync_failures + 1
        wait = doubled(sync_schedule.FIRST_WAIT, failures - 1, longest=LONGEST_REST)
        reason = HANGS if isinstance(error, OutOfTime) else error.reason
        rows.update(
            sync_failures=failures,
            sync_paused_until=now + wait * random.uniform(0.9, 1),  # noqa: S311
            sync_problem=reason,
        )
        log.warning("The sync of an account rests", account=self._account.name, reason=reason)

    def _works(self) -> None:
        fine = {"sync_failures": 0, "sync_paused_until": None, "sync_problem": ""}
        JiraAccount.objects.filter(pk=self._account.pk).update(synced_at=timezone.now(), **fine)


def _take_and_write(
    tracker: Tracker, issue: ExternalIssue, state: IssueState, people: People, lease: datetime
) -> None:
    taken = take(issue.pk, state, people)
    if taken and taken.asks_for:
        people |= look_up(issue.account, taken.asks_for, tracker)
        taken = take(issue.pk, state, people)
    if taken and (taken.pushes or (taken.talks and comments.waiting([issue]))):
        write_there(tracker, issue, until=lease)
    if taken and not issue.agreed:
        link_to_former(tracker, issue, taken.ref)


def _in_step(batch: Batch, states: Mapping[str, IssueState], people: People) -> set[UUID]:
    """Those of which nothing differs from what was seen last; constant statements."""
    cases = [issue.case for issue in batch.issues]
    settings, changes = settings_of(cases), changes_of([case.pk for case in cases])
    there = [issue for issue in batch.issues if issue.issue_id in states]
    talking = [
        issue
        for issue in there
        if settings[issue.case.project_id].sync_comments == SyncMode.TWO_WAY
    ]
    talkative = comments.waiting(talking) | comments.news(
        {issue.pk: states[issue.issue_id] for issue in talking}
    )
    now = timezone.now()
    return {
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
    at = now + GONE_EVERY if issue.gone_at else issue.missing_at + ABSENT_FOR
    sync_schedule.release([issue_pk], lease, at=at)
