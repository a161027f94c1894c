"""Which tickets of groups say something that is no longer so: the queue of `groups.refresh_due`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.db.models import Exists, F, OuterRef, Value, When

from config.lib.tasks import enqueue
from ticketing.models import Attachment, Case, CaseGroup


def mark_groups(cases: Iterable[Case], *, now: datetime) -> None:
    """Have the text of these (locked) cases follow their findings, where they are for a group.

    One that has no finding any more, as a person took the last one off, takes no more. One
    statement.
    """
    held = Attachment.objects.filter(case=OuterRef("case"))
    marked = CaseGroup.objects.filter(case__in=list(cases)).update(
        refresh_since=now,
        takes_more=models.Case(
            When(Exists(held), then=F("takes_more")), default=Value(value=False)
        ),
    )
    if marked:
        ring()


def ring() -> None:
    enqueue("ticketing.tasks.refresh_groups")
