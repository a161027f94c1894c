"""How long what findings leave behind is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q

from config.accounts.audit.events import record_event
from config.lib.retention import Dealt, RowKind, Table, register
from findings.archive.selection import candidates
from findings.archive.store import archive_some
from findings.models import Finding, FindingEvent, Import, ImportChange

_State, _Closing = Import.State, Import.Closing


def _newer_of_kind() -> Exists:
    return Exists(
        FindingEvent.objects.filter(
            finding=OuterRef("finding"), kind=OuterRef("kind"), pk__gt=OuterRef("pk")
        )
    )


def _brought_nothing_that_is_left() -> Q:
    """And is not the one that its scope is known by: the last, or the last of its format."""
    ended = Q(state__in=[_State.DONE, _State.REFUSED, _State.UNDONE])
    decided = ~Q(closing__in=[_Closing.HELD, _Closing.RESOLVING]) & Q(stored_as="")
    left = Exists(Finding.objects.filter(first_import=OuterRef("pk")))
    later = Import.objects.filter(
        scope=OuterRef("scope"),
        format=OuterRef("format"),
        state=_State.DONE,
        started_at__gt=OuterRef("started_at"),
    )
    return ended & decided & ~Q(left) & (Q(scope=None) | ~Q(state=_State.DONE) | Q(Exists(later)))


def _note_that_changes_are_gone(pks: Sequence[int]) -> None:
    runs = ImportChange.objects.filter(pk__in=pks).order_by().values("run")
    Import.objects.filter(pk__in=runs, are_changes_deleted=False).update(are_changes_deleted=True)


def _archive(cutoff: datetime, cursor: Any) -> Dealt:
    return Dealt(*archive_some(cutoff, cursor))


def _record_archived(number: int) -> None:
    record_event("finding", "archived", count=number)


register(
    RowKind(
        "resolved_findings",
        "Resolved findings",
        days=0,
        setting="ARCHIVE_AFTER_DAYS",
        why="They are written to a file first, and come back when they are reported again.",
        tables=[Table(Finding, "resolved_at", by_age=True)],
        delete_some=_archive,
        count_old=lambda cutoff: candidates(cutoff).count(),
        at_end=_record_archived,
    ),
    RowKind(
        "finding_events",
        "Events of findings",
        days=730,
        least_days=90,
        why="The last of each kind stays with its finding.",
        tables=[Table(FindingEvent, "created_at", Q(_newer_of_kind()))],
    ),
    RowKind(
        "import_changes",
        "What imports changed",
        days=180,
        least_days=7,
        why="It is kept to undo an import, which is not possible any longer then.",
        tables=[
            Table(
                ImportChange,
                "run__finished_at",
                ~Q(run__state=_State.UNDOING) & ~Q(run__closing=_Closing.RESOLVING),
                before_delete=_note_that_changes_are_gone,
            )
        ],
    ),
    RowKind(
        "imports",
        "Imports",
        days=400,
        least_days=30,
        why="An import stays while a finding that it brought does, and the last one of its scope.",
        tables=[Table(Import, "started_at", _brought_nothing_that_is_left(), by_age=True)],
        chunk=100,
    ),
)
