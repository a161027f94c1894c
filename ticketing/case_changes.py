"""What is changed of cases, one or many: as few statements for a hundred as for one.

The cases are locked by the caller, in its transaction. Each function says which cases it really
changed, and how they were before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.utils import timezone

from config.accounts.access import Actor
from config.accounts.models import User
from config.lib.rows import rewrite
from ticketing import due_dates
from ticketing.close_reasons import CloseReason
from ticketing.due import mark_due
from ticketing.due_days import said
from ticketing.following import STATUS_COLUMNS, close_by_hand, set_status
from ticketing.mirror import mirror
from ticketing.models import ASSIGNEES, Case
from ticketing.timeline import Kind, refuse_overwriting, tell

Entry = tuple[Kind, str, str]
_WORDS = ("status", "priority", "title", "description")
_NOT_WORDS = {each.name for each in Case._meta.concrete_fields} - {*_WORDS}
_KEPT = (
    *(*_WORDS, "close_reason", "stays_closed", "closed_at", "assignee_id", "jira_assignee_id"),
    *("due_date", "is_due_by_hand", "archived_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseChange:
    """What a person wants of cases. What is not given stays; nobody is an assignee, too."""

    status: str | None = None
    priority: str | None = None
    title: str | None = None
    description: str | None = None
    assignee: User | str | None = "unchanged"
    close_reason: CloseReason | None = None  # of those that are closed


class Changed(NamedTuple):
    """A case that was changed, and the columns that a person may change as they were before."""

    case: Case
    before: dict[str, Any]


def change_cases(
    cases: Sequence[Case], change: CaseChange, *, actor: Actor, seen: datetime | None = None
) -> list[Changed]:
    """Change these, tell their timelines what really changed, and mirror it.

    With `seen`, raises CaseChanged if the same was changed after that time.
    """
    now = timezone.now()
    before = {case: _as_it_is(case) for case in cases}
    told = {case: entries for case in cases if (entries := _apply(case, change))}
    if not told:
        return []
    for case, entries in told.items():
        refuse_overwriting(case, [kind for kind, *_ in entries], seen=seen)
    _set_statuses(told, change, now=now)
    for case in told:
        case.modified_at = now
        case.clean_fields(exclude=_NOT_WORDS)
    rewrite(told, *_WORDS, *ASSIGNEES, *STATUS_COLUMNS)
    tell([(case, *entry) for case, entries in told.items() for entry in entries],
         actor=actor, now=now)  # fmt: skip
    mirror(told)
    mark_due(told)
    return [Changed(case, before[case]) for case in told]


def set_due_dates(
    cases: Sequence[Case], day: date | None, *, actor: Actor, seen: datetime | None = None
) -> list[Changed]:
    """A person's own, which findings do not change. None: due when their findings are.

    With `seen`, raises CaseChanged if somebody else had said another after that time.
    """
    now = timezone.now()
    wanted = [case for case in cases if day is not None or case.is_due_by_hand]
    of_findings = due_dates.of_cases(wanted) if day is None else {}
    moved, changed = [], []
    for case in wanted:
        before, due = _as_it_is(case), day or of_findings.get(case)
        if case.due_date != due:
            refuse_overwriting(case, [Kind.DUE_DATE], seen=seen)
            moved.append((case, Kind.DUE_DATE, said(case.due_date), said(due)))
            case.modified_at = now
        case.due_date, case.is_due_by_hand = due, day is not None
        if before != _as_it_is(case):
            changed.append(Changed(case, before))
    tell(moved, actor=actor, now=now)
    rewrite([case for case, _ in changed], "due_date", "is_due_by_hand", "modified_at")
    if moved:
        mark_due([case for case, *_ in moved])
    return changed


def set_archived(cases: Sequence[Case], *, to: datetime | None, actor: Actor) -> list[Changed]:
    """Put them away, or (None) take them back; those that are so already stay as they are."""
    now = timezone.now()
    turned = [case for case in cases if (case.archived_at is None) != (to is None)]
    changed = [Changed(case, _as_it_is(case)) for case in turned]
    for case in turned:
        case.archived_at, case.modified_at = to, now
    rewrite(turned, "archived_at", "modified_at")
    kind = Kind.ARCHIVED if to else Kind.UNARCHIVED
    tell([(case, kind, "", "") for case in turned], actor=actor, now=now)
    return changed


def _as_it_is(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in _KEPT}


def _apply(case: Case, change: CaseChange) -> list[Entry]:
    """Put on the case what differs; a field has the name of its kind of entry."""
    entries: list[Entry] = []
    for name in _WORDS:
        before, after = getattr(case, name), getattr(change, name)
        if after is not None and after != before:
            setattr(case, name, after)
            entries.append((Kind(name), before, after))
    entries += _resolve(case, change.close_reason)
    assignee = change.assignee
    if not isinstance(assignee, str) and assignee != case.assigned_to:
        name = case.assigned_to.name if case.assigned_to else ""
        entries.append((Kind.ASSIGNEE, name, assignee.name if assignee else ""))
        case.assignee, case.jira_assignee = assignee, None
    return entries


def _resolve(case: Case, reason: CloseReason | None) -> list[Entry]:
    if reason is None or case.status != Case.Status.CLOSED or case.close_reason == reason:
        return []
    return [(Kind.RESOLVED, case.get_close_reason_display(), reason.label)]


def _set_statuses(told: dict[Case, list[Entry]], change: CaseChange, *, now: datetime) -> None:
    kinds = {case: {kind for kind, *_ in entries} for case, entries in told.items()}
    for case in told:
        if Kind.STATUS in kinds[case]:
            set_status(case, case.status, now=now)
    closed = [
        case
        for case in told
        if case.status == Case.Status.CLOSED and {Kind.STATUS, Kind.RESOLVED} & kinds[case]
    ]
    close_by_hand(closed, change.close_reason)
