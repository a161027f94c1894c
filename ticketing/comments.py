"""Comments of both sides, each on the other side once.

Ours carry the id of their timeline entry as their key there, so that our own are never taken
for somebody else's, and a lost answer is no second comment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from ticketing.comparing import Pair, clean
from ticketing.models import Case, CommentLink, ExternalIssue, SyncMode, TimelineEntry
from ticketing.timeline import Kind
from ticketing.trackers.base import IssueRef, RemoteComment, Tracker

AT_ONCE = 50  # comments pushed in one turn; the rest waits for the next
PER_ISSUE = 5_000  # Jira takes no more
_SOMEBODY = "Somebody in Jira"
_SAME_MOMENT = timedelta(seconds=1)  # a comment is changed when it is written, says Jira


def pull(pair: Pair, *, now: datetime) -> None:
    """Take theirs over, once each, and what was edited; in the caller's transaction."""
    if pair.settings.sync_comments != SyncMode.TWO_WAY:
        return
    links = _links(pair.issue)
    _take_new(pair, [each for each in pair.state.comments if each.id not in links], now=now)
    for comment in pair.state.comments:
        link = links.get(comment.id)
        if link and _is_edited(comment, link):
            _take_edited(link, comment)


def waiting(issues: Collection[ExternalIssue]) -> set[UUID]:
    """Those of these issues with comments of ours that are not there yet. One statement."""
    case_of = {issue.case_id: issue for issue in issues}
    return {
        case_of[entry.case_id].pk
        for entry in TimelineEntry.objects.filter(
            case__in=case_of, kind=Kind.COMMENT, author="", link=None
        ).only("case_id", "created_at")
        if entry.created_at >= case_of[entry.case_id].created_at
    }


def news(seen: Mapping[UUID, Collection[RemoteComment]]) -> set[UUID]:
    """Of issue → its comments there, those issues where one is new or edited. One statement."""
    links: dict[UUID, dict[str, CommentLink]] = {pk: {} for pk in seen}
    for link in CommentLink.objects.filter(issue__in=links):
        links[link.issue_id][link.comment_id] = link
    return {
        pk
        for pk, comments in seen.items()
        if any(_is_news(each, links[pk].get(each.id)) for each in comments)
    }


def _is_news(comment: RemoteComment, link: CommentLink | None) -> bool:
    # One of ours without its link is among those that wait.
    return not comment.key if link is None else _is_edited(comment, link)


def push(tracker: Tracker, ref: IssueRef, issue: ExternalIssue, *, room: int) -> int:
    """Write ours that are not there yet, the oldest first, and say how many there were."""
    entries = TimelineEntry.objects.filter(
        case=issue.case_id,
        kind=Kind.COMMENT,
        author="",
        link=None,
        created_at__gte=issue.created_at,
    ).select_related("actor")
    done = 0
    for entry in entries.order_by("created_at", "pk")[: max(0, min(room, AT_ONCE))]:
        comment_id = tracker.comment(ref, _signed(entry), key=_key(issue, entry))
        _link(issue, entry.pk, comment_id)
        done += 1
    return done


def _key(issue: ExternalIssue, entry: TimelineEntry) -> str:
    return f"{issue.key}-{entry.pk}"


def _signed(entry: TimelineEntry) -> str:
    """There, everything is written by our account: say who it was."""
    return _signature(entry) + entry.after


def _signature(entry: TimelineEntry) -> str:
    return f"**{entry.actor.name}:** " if entry.actor and not entry.author else ""


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
        created_at=min(comment.created_at, now),
    )


def _is_edited(comment: RemoteComment, link: CommentLink) -> bool:
    if link.updated_at is None:  # ours, not seen there before
        return comment.updated_at > comment.created_at + _SAME_MOMENT
    return comment.updated_at > link.updated_at


def _take_edited(link: CommentLink, comment: RemoteComment) -> None:
    text = clean(comment.text).removeprefix(_signature(link.entry))
    TimelineEntry.objects.filter(pk=link.entry_id).update(after=text)
    CommentLink.objects.filter(pk=link.pk).update(updated_at=comment.updated_at)


@transaction.atomic
def _link(issue: ExternalIssue, entry_pk: int, comment_id: str) -> None:
    CommentLink.objects.get_or_create(
        entry_id=entry_pk, defaults={"issue": issue, "comment_id": comment_id}
    )
