"""Comments of both sides, each on the other side once.

Ours carry the id of their timeline entry as their key there, so that our own are never taken
for somebody else's, and a lost answer is no second comment.

Ours may be edited and deleted here. The link keeps which edit was told there (`told_at`), so
that one is owed whenever the entry's is later, whoever dies in between. Of two edits the later
one stays; a deletion here stays whatever is edited there. A comment deleted there stays here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ticketing.commenting import keep_revision
from ticketing.comparing import Pair, clean
from ticketing.models import Case, CommentLink, ExternalIssue, SyncMode, TimelineEntry
from ticketing.timeline import Kind, tell
from ticketing.trackers.base import (
    Fault,
    IssueRef,
    IssueState,
    RemoteComment,
    Tracker,
    TrackerError,
)

AT_ONCE = 50  # comments pushed in one turn; the rest waits for the next
MAX_TRIED = 200  # in one turn, with those that are refused
MAX_FAILURES = 3  # passing ones in one turn: more are Jira's trouble, not the comments'
PER_ISSUE = 5_000  # Jira takes no more
_SOMEBODY = "Somebody in Jira"
_REFUSED = (Fault.REJECTED, Fault.CONFIG)  # it will be, the next time, too
_LATE_ANSWER = timedelta(hours=1)  # how long one without an answer may still land there
_OWED = Q(entry__edited_at__isnull=False) & (Q(told_at=None) | Q(told_at__lt=F("entry__edited_at")))
_SAME_MOMENT = timedelta(seconds=1)  # a comment is changed when it is written, says Jira


T = TypeVar("T")


class Pushed(NamedTuple):
    """What one turn has written, and why it has not written the rest."""

    done: int
    errors: list[TrackerError]  # one for each comment that is tried again, with its issue


def pull(pair: Pair, *, now: datetime) -> None:
    """Take theirs over, once each, and what was edited; in the caller's transaction."""
    if pair.settings.sync_comments != SyncMode.TWO_WAY:
        return
    links = _links(pair.issue)
    _take_new(pair, [each for each in pair.state.comments if each.id not in links], now=now)
    for comment in pair.state.comments:
        link = links.get(comment.id)
        if link and _is_edited(comment, link, ahead=pair.state.ahead):
            _take_edited(link, comment, ahead=pair.state.ahead)


def waiting(issues: Collection[ExternalIssue]) -> set[UUID]:
    """Those of these issues with comments of ours that are not there as they are here.

    One statement. One that was deleted here may be on its way there: it counts for a while.
    """
    case_of = {issue.case_id: issue for issue in issues}
    is_wanted = Q(deleted_at=None) | Q(deleted_at__gte=timezone.now() - _LATE_ANSWER)
    is_owed = Q(edited_at__isnull=False, link__issue__in=list(issues)) & (
        Q(link__told_at=None) | Q(link__told_at__lt=F("edited_at"))
    )
    entries = TimelineEntry.objects.filter(
        (Q(link=None) & is_wanted) | is_owed, case__in=case_of, kind=Kind.COMMENT, author=""
    )
    return {
        case_of[entry.case_id].pk
        for entry in entries.only("case_id", "created_at")
        if entry.created_at >= case_of[entry.case_id].created_at
    }


def news(seen: Mapping[UUID, IssueState]) -> set[UUID]:
    """Of issue → how it is there, those issues where a comment is new or edited. One statement."""
    links: dict[UUID, dict[str, CommentLink]] = {pk: {} for pk in seen}
    for link in CommentLink.objects.filter(issue__in=links).select_related("entry"):
        links[link.issue_id][link.comment_id] = link
    return {
        pk
        for pk, state in seen.items()
        if any(_is_news(each, links[pk].get(each.id), ahead=state.ahead) for each in state.comments)
    }


def _is_news(comment: RemoteComment, link: CommentLink | None, *, ahead: timedelta) -> bool:
    # One of ours without its link is among those that wait.
    return not comment.key if link is None else _is_edited(comment, link, ahead=ahead)


def push(tracker: Tracker, ref: IssueRef, issue: ExternalIssue, *, room: int) -> Pushed:
    """Write ours that are not there yet, the oldest first."""

    def write(entry: TimelineEntry) -> None:
        comment_id = tracker.comment(ref, _signed(entry), key=_key(issue, entry))
        _link(issue, entry, comment_id)

    limit = max(0, min(room, AT_ONCE))
    return _each(tracker, _unposted(issue)[:MAX_TRIED] if limit else (), write, limit=limit)


def is_full(issue: ExternalIssue, *, room: int) -> bool:
    """Whether one of ours waits that Jira has no room for."""
    return room <= 0 and _unposted(issue).exists()


def push_changes(tracker: Tracker, ref: IssueRef, issue: ExternalIssue) -> Pushed:
    """Tell of ours that were edited or deleted here."""

    def write(link: CommentLink) -> None:
        try:
            _push_change(tracker, ref, link)
        except TrackerError as error:
            if error.whole_account or error.fault not in _REFUSED:
                raise
            _give_up(ref, link, error)

    owed = CommentLink.objects.filter(_OWED, issue=issue).select_related("entry__actor")
    links = owed.order_by("entry__edited_at")[:MAX_TRIED]
    return _each(tracker, links, write, limit=AT_ONCE)


def _each(
    tracker: Tracker, comments: Iterable[T], write: Callable[[T], None], *, limit: int
) -> Pushed:
    """One after the other, up to so many: one that fails keeps no other waiting.

    Raises what concerns the account, or what Jira asks for: to wait.
    """
    done, passing, errors = 0, 0, []
    for comment in comments:
        try:
            write(comment)
        except TrackerError as error:
            if error.suspicious:
                tracker.identify()  # raises, if it is not this comment's own trouble
            elif error.whole_account or error.retry_after is not None:
                raise
            errors.append(error)
            passing += error.fault not in _REFUSED
        else:
            done += 1
        if done >= limit or passing >= MAX_FAILURES:
            break
    return Pushed(done, errors)


def _unposted(issue: ExternalIssue) -> QuerySet[TimelineEntry]:
    entries = TimelineEntry.objects.filter(
        case=issue.case_id,
        kind=Kind.COMMENT,
        author="",
        link=None,
        deleted_at=None,
        created_at__gte=issue.created_at,
    )
    return entries.select_related("actor").order_by("created_at", "pk")


def _push_change(tracker: Tracker, ref: IssueRef, link: CommentLink) -> None:
    entry, seen = link.entry, link.updated_at
    if entry.deleted_at:
        tracker.delete_comment(ref, link.comment_id)
    else:
        seen = tracker.edit_comment(ref, link.comment_id, _signed(entry))
    # What is changed here meanwhile has a later time, and is owed still.
    CommentLink.objects.filter(pk=link.pk).update(told_at=entry.edited_at, updated_at=seen)


@transaction.atomic
def _give_up(ref: IssueRef, link: CommentLink, error: TrackerError) -> None:
    """Jira will refuse it the next time, too: say so, once."""
    entry = link.entry
    deed = "deleted" if entry.deleted_at else "changed"
    reason = f"A comment on {ref.key} could not be {deed} in Jira. {error.reason}"
    CommentLink.objects.filter(pk=link.pk).update(told_at=entry.edited_at)
    tell([(entry.case, Kind.ISSUE, "", "")], reason=reason, now=timezone.now())


def _key(issue: ExternalIssue, entry: TimelineEntry) -> str:
    return f"{issue.key}-{entry.pk}"


def _signed(entry: TimelineEntry) -> str:
    """There, everything is written by our account: say who it was."""
    return _signature(entry) + entry.after


def _signature(entry: TimelineEntry) -> str:
    name = entry.actor.name if entry.actor else entry.key_name
    edited = f" (edited by {entry.edited_by})" if entry.edited_by else ""
    return f"**{name}{edited}:** " if name and not entry.author else ""


def _links(issue: ExternalIssue) -> dict[str, CommentLink]:
    links = CommentLink.objects.filter(issue=issue).select_related("entry__actor")
    return {link.comment_id: link for link in links}


def _take_new(pair: Pair, comments: Collection[RemoteComment], *, now: datetime) -> None:
    issue = pair.issue
    ours = {each.key: each for each in comments if each.key.startswith(issue.key)}
    entries = TimelineEntry.objects.filter(case=pair.case, kind=Kind.COMMENT, link=None, author="")
    known = {_key(issue, entry): entry for entry in entries} if ours else {}
    links = [
        CommentLink(issue=issue, entry=known[key], comment_id=comment.id)
        for key, comment in ours.items()
        if key in known
    ]
    theirs = [
        CommentLink(
            issue=issue,
            entry=_entry(pair, comment, now=now),
            comment_id=comment.id,
            updated_at=comment.updated_at,
        )
        for comment in comments
        if comment.key not in ours
    ]
    if theirs:
        TimelineEntry.objects.bulk_create([link.entry for link in theirs], batch_size=200)
        Case.objects.filter(pk=pair.case.pk).update(modified_at=now)
    CommentLink.objects.bulk_create([*links, *theirs], batch_size=200)


def _entry(pair: Pair, comment: RemoteComment, *, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        case=pair.case,
        kind=Kind.COMMENT,
        after=clean(comment.text),
        actor=pair.people.person(comment.author.id),
        author=clean(comment.author.name)[:255] or _SOMEBODY,
        created_at=min(comment.created_at - pair.state.ahead, now),
    )


def _is_edited(comment: RemoteComment, link: CommentLink, *, ahead: timedelta) -> bool:
    """Edited there, and later than here, if what is here was not told there yet. Their clock is
    so far ahead of ours."""
    entry = link.entry
    if entry.deleted_at:
        return False
    is_owed = entry.edited_at and (link.told_at is None or link.told_at < entry.edited_at)
    if entry.edited_at and is_owed and comment.updated_at - ahead <= entry.edited_at:
        return False
    if link.updated_at is None:  # ours, not seen there before
        return comment.updated_at > comment.created_at + _SAME_MOMENT
    return comment.updated_at > link.updated_at


def _take_edited(link: CommentLink, comment: RemoteComment, *, ahead: timedelta) -> None:
    text = clean(comment.text).removeprefix(_signature(link.entry))
    at = comment.updated_at - ahead
    keep_revision(link.entry, text, at=at, in_jira=True)
    TimelineEntry.objects.filter(pk=link.entry_id).update(
        after=text, edited_at=at, reason="", edited_by=""
    )
    CommentLink.objects.filter(pk=link.pk).update(updated_at=comment.updated_at, told_at=at)


@transaction.atomic
def _link(issue: ExternalIssue, entry: TimelineEntry, comment_id: str) -> None:
    told = {"issue": issue, "comment_id": comment_id, "told_at": entry.edited_at}
    CommentLink.objects.get_or_create(entry_id=entry.pk, defaults=told)
