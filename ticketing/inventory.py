"""Asks Jira itself whether each promise has one issue and no more."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from config.lib.deadline import Deadline
from ticketing import pacing
from ticketing.models import ExternalIssue, JiraAccount
from ticketing.states import State
from ticketing.trackers.base import Destination, Found, Lookup, Tracker, TrackerError
from ticketing.trackers.registry import tracker_for


def differences() -> Iterator[str]:
    """A sentence for each promise of which Jira says something else than we do.

    A few requests for each promise, as slowly as Jira wants them: for a person to run.
    """
    for account in JiraAccount.objects.filter(deleted_at=None, connected_at__isnull=False):
        promises = ExternalIssue.objects.filter(account=account, attempt__isnull=False)
        pace, no_end = pacing.pace_for(account), Deadline(math.inf)
        with tracker_for(account, pace=pace, deadline=no_end) as tracker:
            for issue in promises.iterator():
                yield from _compare(tracker, issue)


def _compare(tracker: Tracker, issue: ExternalIssue) -> Iterator[str]:
    try:
        found = _find(tracker, issue)
    except TrackerError as error:
        yield f"Promise {issue.key} could not be looked up. {error.reason}"
        return
    keys = sorted(ref.key for ref in found.refs)
    if len(keys) > 1:
        yield f"Promise {issue.key} has {len(keys)} issues: {', '.join(keys)}."
    elif keys and issue.state in (State.PENDING, State.BLOCKED, State.CANCELLED):
        yield f"Promise {issue.key} is {issue.state}, and {keys[0]} is there."
    elif not keys and issue.state == State.CREATED and issue.gone_at is None:
        yield f"{issue.issue_key} does not carry the key of its promise {issue.key}."


def _find(tracker: Tracker, issue: ExternalIssue) -> Found:
    place = Destination(issue.space_id, issue.space_key, issue.type_id)
    since = issue.posted_at or issue.created_at
    while True:
        try:
            lookup = Lookup(issue.key, place, since=since, floor=issue.floor)
            return tracker.find([lookup])[issue.key]
        except pacing.TooFast as wait:
            time.sleep(wait.retry_after or 1)
