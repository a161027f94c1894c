"""What a case says is written into its issue, one field at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from ticketing import comments, due, outbox
from ticketing.allowed_spaces import SpaceClosed
from ticketing.comparing import digest
from ticketing.jira_people import meet_those_of
from ticketing.models import Attempt, Destination, ExternalIssue
from ticketing.reconcile import Field
from ticketing.taking import Push, Taken, confirm, give_up, take
from ticketing.trackers.base import (
    AnswerMissing,
    Category,
    Fault,
    IssueRef,
    IssueState,
    Tracker,
    TrackerError,
)

NEAR_ITS_END = timedelta(seconds=45)  # of a lease: no task's calls go on for longer
SYNCED = "synced"


def write_there(tracker: Tracker, issue: ExternalIssue, *, until: datetime) -> None:
    """Push what is owed, if it still is. Raises what was refused of it, when all is tried."""
    taken = _read(tracker, issue)
    if taken is None:
        return
    refused = [*_talk(tracker, issue, taken), *_push_all(tracker, issue, taken, until)]
    # What is shown of the issue is what it says now; a step may have led elsewhere.
    again = _read(tracker, issue) if taken.pushes else None
    if refused:  # above all what a person can answer
        raise min(refused, key=lambda error: not isinstance(error, AnswerMissing))
    if again and again.pushes:  # somebody acted meanwhile
        due.mark_issue_due(issue.account, issue.issue_id)


def _read(tracker: Tracker, issue: ExternalIssue) -> Taken | None:
    state = _state(tracker, issue)
    return take(issue.pk, state, meet_those_of(issue.account, [state])) if state else None


def _state(tracker: Tracker, issue: ExternalIssue) -> IssueState | None:
    state = tracker.fetch([issue.issue_id]).get(issue.issue_id)
    if isinstance(state, TrackerError):
        raise state
    return state


def _talk(tracker: Tracker, issue: ExternalIssue, taken: Taken) -> Iterator[TrackerError]:
    if not taken.talks or not comments.waiting([issue]):
        return
    room = comments.PER_ISSUE - taken.comments
    changed = comments.push_changes(tracker, taken.ref, issue)
    posted = comments.push(tracker, taken.ref, issue, room=room)
    yield from (*changed.errors, *posted.errors)
    if comments.AT_ONCE in (changed.done, posted.done):
        due.mark_issue_due(issue.account, issue.issue_id)
    elif comments.is_full(issue, room=room - posted.done):
        reason = f"{taken.ref.key} has {comments.PER_ISSUE:,} comments. Jira takes no more."
        yield TrackerError(Fault.REJECTED, reason)


def _push_all(
    tracker: Tracker, issue: ExternalIssue, taken: Taken, until: datetime
) -> Iterator[TrackerError]:
    # What is closed can often not be edited any more: close it last.
    for push in sorted(taken.pushes, key=lambda push: push.value == Category.DONE.value):
        if timezone.now() > until - NEAR_ITS_END:
            return  # somebody else's turn
        if error := _push(tracker, issue, taken, push):
            yield error


def _push(tracker: Tracker, issue: ExternalIssue, taken: Taken, push: Push) -> TrackerError | None:
    """Write one field; what is refused of it is returned, any other failure is raised."""
    started_at = timezone.now()
    try:
        tracker.push(taken.ref, push.change)
        reads = _reads(tracker, issue) if push.field is Field.DESCRIPTION else None
    except TrackerError as error:
        _log(issue, started_at, error)
        if _has_no_way_back(push, error):
            _stay_closed(issue, taken, push)
            return None
        if error.whole_account or error.fault not in (Fault.REJECTED, Fault.CONFIG):
            raise
        return _with_place(issue, error) if isinstance(error, AnswerMissing) else error
    _log(issue, started_at)
    confirm(issue.pk, push, reads=reads)
    return None


def _with_place(issue: ExternalIssue, missing: AnswerMissing) -> AnswerMissing:
    """And where the answer can be set."""
    where = f"Projects › {issue.case.project.name} › Data Sync Settings"
    reason = f"{missing.reason} Set an answer under {where}."
    return AnswerMissing(reason, field=missing.field, name=missing.name)


def _reads(tracker: Tracker, issue: ExternalIssue) -> str | None:
    """A description never reads as it was written: how it does is what was agreed on."""
    state = _state(tracker, issue)
    return digest(state.description) if state else None


def _has_no_way_back(push: Push, error: TrackerError) -> bool:
    return (
        push.field is Field.STATUS
        and push.agreed.there == Category.DONE.value
        and (error.fault, error.field) == (Fault.REJECTED, "status")
    )


def _stay_closed(issue: ExternalIssue, taken: Taken, push: Push) -> None:
    said = f"The workflow of {taken.ref.key} does not lead back from where it is."
    wants_new = taken.settings.no_way_back == Destination.NoWayBack.NEW_ISSUE
    if push.is_automatic and wants_new:
        try:
            outbox.recreate(issue, actor=None, reason=f"{said} A new ticket takes its place.")
        except SpaceClosed as closed:
            give_up(issue.pk, push, reason=f"{said} {closed}")
    else:
        give_up(issue.pk, push, reason=f"{said} It stays closed.")


def link_to_former(tracker: Tracker, issue: ExternalIssue, ref: IssueRef) -> None:
    """A new issue that took the place of another says so."""
    former = (
        ExternalIssue.objects.filter(case=issue.case_id, detached_at__isnull=False, gone_at=None)
        .exclude(issue_key="")
        .select_related("account")
        .order_by("-detached_at")
        .first()
    )
    if former:
        title = f"Continues {former.issue_key}"
        tracker.link(ref, url=former.url, title=title, key=f"{issue.key}-former")


def _log(issue: ExternalIssue, started_at: datetime, error: TrackerError | None = None) -> None:
    Attempt.objects.create(
        issue=issue,
        operation=Attempt.Operation.SYNC,
        started_at=started_at,
        ended_at=timezone.now(),
        outcome=error.fault.value if error else SYNCED,
        status=error.status if error else None,
        reason=error.reason if error else "",
        response=error.response if error else "",
    )
