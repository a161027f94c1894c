"""What was changed in a space since it was asked last: one search instead of a read per issue.

A poll makes due what differs from what was seen of it, and believes nothing else. It asks for
some minutes more than have passed, since the index is behind what was written. What no poll
shows, a deleted issue, one moved to a space nobody follows, a change that was indexed very late,
is found by the slow round in which each issue is still read by itself.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from config.lib.backoff import doubled
from config.lib.deadline import Deadline
from ticketing import pacing
from ticketing.models import ExternalIssue, JiraAccount, SpacePoll
from ticketing.states import State
from ticketing.trackers.base import OutOfTime, Tracker, TrackerError

log = structlog.stdlib.get_logger(__name__)

EVERY = timedelta(minutes=2)
OVERLAP = timedelta(minutes=5)  # the lag of the index, and what clocks may differ by
LONGEST_SPAN = timedelta(hours=12)  # of one poll: after a longer pause each issue is read
LONGEST_WAIT = timedelta(hours=1)  # after failures
UNRELIABLE = 3  # failures in a row: its issues are read by themselves again
ROUND = timedelta(minutes=9)  # for all that are read by themselves
_CHUNK = 500


def follow_spaces(account: JiraAccount, space_ids: Iterable[str], *, since: datetime) -> None:
    """Poll these spaces from now on; what was changed before `since` was seen."""
    polls = [
        SpacePoll(account=account, space_id=each, polled_at=since, due_at=since + EVERY)
        for each in space_ids
    ]
    SpacePoll.objects.bulk_create(polls, ignore_conflicts=True)


def known(account: JiraAccount) -> tuple[set[str], set[str]]:
    """The spaces that are polled, and those of them whose changes we really hear of."""
    rows = SpacePoll.objects.filter(account=account).values_list("space_id", "failures")
    polls = dict(rows)
    return set(polls), {space for space, failures in polls.items() if failures < UNRELIABLE}


def poll_due(account: JiraAccount, tracker: Tracker, *, deadline: Deadline) -> None:
    """Ask for the changes of each space whose time has come. Raises what concerns the account."""
    due = SpacePoll.objects.filter(account=account, due_at__lte=timezone.now())
    for poll in due.order_by("due_at"):
        if deadline.is_over:
            return
        try:
            _poll(account, tracker, poll)
        except TrackerError as error:
            if isinstance(error, OutOfTime):
                raise
            if error.whole_account or error.suspicious:
                tracker.identify()  # raises, if it is not about this space alone
            pacing.heed_endpoint(account, error)
            _failed(poll, error)


def _poll(account: JiraAccount, tracker: Tracker, poll: SpacePoll) -> None:
    now = timezone.now()
    span = max(now - poll.polled_at, timedelta()) + OVERLAP
    if span > LONGEST_SPAN:
        _read_all(poll)
    else:
        minutes = math.ceil(span.total_seconds() / 60)
        changes = tracker.changes(poll.space_id, minutes=minutes)
        _make_due(account, changes.updated)
        if not changes.is_complete:
            _read_all(poll)
    wait = EVERY * random.uniform(0.9, 1)  # noqa: S311 — spreads the load
    poll.polled_at, poll.due_at, poll.failures, poll.problem = now, now + wait, 0, ""
    poll.save(update_fields=("polled_at", "due_at", "failures", "problem"))


def _failed(poll: SpacePoll, error: TrackerError) -> None:
    if error.endpoint and error.retry_after:  # it works, and asks to wait
        poll.due_at = timezone.now() + timedelta(seconds=error.retry_after)
        poll.save(update_fields=("due_at",))
        return
    poll.failures = min(poll.failures + 1, 1_000)
    wait = doubled(EVERY, poll.failures, longest=LONGEST_WAIT)
    poll.due_at, poll.problem = timezone.now() + wait, error.reason
    poll.save(update_fields=("due_at", "failures", "problem"))
    log.warning("A space could not be polled", space=poll.space_id, reason=error.reason)
    if poll.failures == UNRELIABLE:
        _read_all(poll)


def _make_due(account: JiraAccount, updated: Mapping[str, datetime]) -> None:
    """Those of ours that are newer there than what was seen of them."""
    ids = list(updated)
    for start in range(0, len(ids), _CHUNK):
        ours = ExternalIssue.objects.filter(
            account=account,
            issue_id__in=ids[start : start + _CHUNK],
            state=State.CREATED,
            detached_at=None,
        )
        news = [
            pk
            for pk, issue_id, seen in ours.values_list("pk", "issue_id", "remote_updated_at")
            if seen is None or seen < updated[issue_id]
        ]
        if news:
            ExternalIssue.objects.filter(pk__in=news).update(sync_due_at=timezone.now())


def _read_all(poll: SpacePoll) -> None:
    """Have each issue of the space read by itself, within one round."""
    followed = ExternalIssue.objects.filter(
        account=poll.account_id,
        space_id=poll.space_id,
        state=State.CREATED,
        detached_at=None,
        sync_due_at__isnull=False,
    )
    followed.update(sync_due_at=Least(F("sync_due_at"), timezone.now() + ROUND))
