"""Comments of ours that are edited or deleted; writing one is `services.comment`.

A comment is changed by who wrote it: a person their own, a key those that it wrote itself (not
its maker's: nobody's words are changed by what runs in their name). An admin may change anybody's,
which is said beside it, here and in Jira. What it said before is kept as a revision.

The issue in Jira hears of it as of anything else: `comments.push` compares the times.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from config.accounts.access import Actor, key_id, key_name, person
from config.accounts.api_keys import KeyActor
from config.accounts.roles import Permission
from config.lib.elapsed import when_text
from ticketing.due import mark_due
from ticketing.models import Case, CommentRevision, TimelineEntry
from ticketing.timeline import Kind

_MOMENT = timedelta(microseconds=1)


class Refusal(ValueError):
    """Why a comment stays as it is: `str(error)` is a sentence."""


class NotOurs(Refusal):
    """The comment was written in Jira, and is edited there."""


class NotYours(Refusal):
    """Somebody else wrote the comment."""


class Gone(Refusal):
    """The comment was deleted."""


class Overwritten(Refusal):
    """Somebody changed the comment meanwhile."""

    def __init__(self, entry: TimelineEntry) -> None:
        last = entry.revisions.select_related("actor").first()
        by = "Somebody in Jira" if last is None or last.in_jira else "The system"
        if last and (name := last.actor.name if last.actor else last.key_name):
            by = name
        super().__init__(f"{by} changed this comment {when_text(entry.changed_at)}.")
        self.entry = entry


def edit_comment(
    entry: TimelineEntry, text: str, *, actor: Actor, seen: datetime | None = None
) -> TimelineEntry:
    """Put another text in its place. Raises ValidationError for none, and as
    `delete_comment`."""
    text = text.strip()
    if not text:
        raise ValidationError({"text": "Write a comment first."})
    return _change(entry, text, deed="Edited", actor=actor, seen=seen)


def delete_comment(entry: TimelineEntry, *, actor: Actor, seen: datetime | None = None) -> None:
    """Forget its text; that there was one stays on the timeline.

    Raises NotOurs, NotYours, Gone; with `seen`, Overwritten if it was changed after that time.
    """
    _change(entry, "", deed="Deleted", actor=actor, seen=seen)


def refusal_of(entry: TimelineEntry, actor: Actor) -> Refusal | None:
    """Why the actor may not change the comment."""
    if entry.author:
        return NotOurs("This comment was written in Jira. Change it there.")
    if entry.deleted_at:
        return Gone("This comment was deleted.")
    if not may_change(entry, actor):
        return NotYours("Only who wrote a comment may change it, or an admin.")
    return None


@transaction.atomic
def _change(
    entry: TimelineEntry, text: str, *, deed: str, actor: Actor, seen: datetime | None
) -> TimelineEntry:
    now = timezone.now()
    Case.objects.filter(pk=entry.case_id).update(modified_at=now)  # and with it, one at a time
    comments = TimelineEntry.objects.select_for_update().filter(kind=Kind.COMMENT)
    entry = comments.get(pk=entry.pk)
    if refusal := refusal_of(entry, actor):
        raise refusal
    if entry.after != text:
        if seen and entry.changed_at > seen:
            raise Overwritten(entry)
        # Later than the edit before, whatever clock that one was told by: else it is not owed.
        at = max(now, entry.edited_at + _MOMENT) if entry.edited_at else now
        keep_revision(entry, text, actor=actor, at=at)
        entry.after, entry.edited_at = text, at
        entry.edited_by = "" if actor is None or is_own(entry, actor) else actor.name
        entry.deleted_at = None if text else at
        entry.reason = f"{deed} by {actor.name}." if actor else ""
        entry.save(update_fields=("after", "edited_at", "deleted_at", "reason", "edited_by"))
        mark_due([entry.case])
    return entry


def is_own(entry: TimelineEntry, actor: Actor) -> bool:
    """Whether the actor wrote it. Names prove nothing: two keys may have the same."""
    if isinstance(actor, KeyActor):
        return entry.key_id is not None and entry.key_id == key_id(actor)
    return actor is not None and entry.actor_id == actor.pk


def may_change(entry: TimelineEntry, actor: Actor) -> bool:
    """The system may (None); of people who wrote it, and admins; of keys the one that wrote it."""
    if actor is None or is_own(entry, actor):
        return True
    return not isinstance(actor, KeyActor) and actor.may(Permission.USERS)


def keep_revision(
    entry: TimelineEntry, after: str, *, actor: Actor = None, at: datetime, in_jira: bool = False
) -> None:
    CommentRevision.objects.create(
        entry=entry,
        before=entry.after,
        after=after,
        actor=person(actor),
        key_name=key_name(actor),
        in_jira=in_jira,
        created_at=at,
    )
