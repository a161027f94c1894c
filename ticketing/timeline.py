"""What happened to a case, written in one statement for any number of cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from config.accounts.access import Actor, key_maker, key_name, person
from config.lib.rows import store
from ticketing.models import Case, TimelineEntry

Kind = TimelineEntry.Kind


class CaseChanged(Exception):
    """Somebody changed the same of a case meanwhile; `entry` says who, when and what."""

    def __init__(self, entry: TimelineEntry) -> None:
        super().__init__(str(entry))
        self.entry = entry


def tell(
    entries: Iterable[tuple[Case, Kind, str, str]],
    *,
    now: datetime,
    actor: Actor = None,
    reason: str = "",
    author: str = "",
) -> None:
    """Write (case, kind, before, after) entries.

    Without an actor it was somebody in Jira, the `author`, or the system, with a reason.
    """
    store(
        TimelineEntry(
            case=case,
            kind=kind,
            before=before,
            after=after,
            reason=reason,
            actor=person(actor),
            answerable=key_maker(actor),
            key_name=key_name(actor),
            author=author,
            created_at=now,
        )
        for case, kind, before, after in entries
    )


def refuse_overwriting(case: Case, kinds: Sequence[Kind], *, seen: datetime | None) -> None:
    """Raise CaseChanged if one of these was told after `seen`, what somebody knew last."""
    if seen is None:
        return
    newer = case.timeline.filter(kind__in=kinds, created_at__gt=seen).select_related("actor")
    if entry := newer.first():
        raise CaseChanged(entry)
