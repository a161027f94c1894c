"""Comments of ours that are edited or deleted; writing one is `services.comment`.

The issue in Jira hears of it as of anything else: `comments.push` compares the times.
"""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from config.accounts.access import Actor
from ticketing.due import mark_due
from ticketing.models import Case, TimelineEntry
from ticketing.timeline import Kind

_MOMENT = timedelta(microseconds=1)


class NotOurs(ValueError):
    """The comment was written in Jira, and is edited there."""


class Gone(ValueError):
    """The comment was deleted."""


def edit_comment(entry: TimelineEntry, text: str, *, actor: Actor) -> TimelineEntry:
    """Put another text in its place. Raises ValidationError for none, NotOurs, Gone."""
    text = text.strip()
    if not text:
        raise ValidationError({"text": "Write a comment first."})
    return _change(entry, text, deed="Edited", actor=actor)


def delete_comment(entry: TimelineEntry, *, actor: Actor) -> None:
    """Forget its text; that there was one stays on the timeline. Raises NotOurs, Gone."""
    _change(entry, "", deed="Deleted", actor=actor)


@transaction.atomic
def _change(entry: TimelineEntry, text: str, *, deed: str, actor: Actor) -> TimelineEntry:
    now = timezone.now()
    Case.objects.filter(pk=entry.case_id).update(modified_at=now)  # and with it, one at a time
    comments = TimelineEntry.objects.select_for_update().filter(kind=Kind.COMMENT)
    entry = comments.get(pk=entry.pk)
    if entry.author:
        raise NotOurs("This comment was written in Jira. Change it there.")
    if entry.deleted_at:
        raise Gone("This comment was deleted.")
    if entry.after != text:
        # Later than the edit before, whatever clock that one was told by: else it is not owed.
        at = max(now, entry.edited_at + _MOMENT) if entry.edited_at else now
        entry.after, entry.edited_at = text, at
        entry.deleted_at = None if text else at
        entry.reason = f"{deed} by {actor.name}." if actor else ""
        entry.save(update_fields=("after", "edited_at", "deleted_at", "reason"))
        mark_due([entry.case])
    return entry
