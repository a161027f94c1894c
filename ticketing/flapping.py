"""The brake on a case whose findings are fixed and reported again, over and over.

Opened again by its findings so often within a week, a case is not closed by the next fix: it
stays open until the week is over, and says so once. A person who closes it ends that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from config.lib.utc import moment_text
from ticketing.due import mark_due
from ticketing.models import Case
from ticketing.timeline import Kind, tell

MAX_REOPENINGS = 3
WINDOW = timedelta(days=7)
BY_ITSELF = "The findings came and went too often."


def note_reopening(case: Case, *, now: datetime) -> None:
    case.reopenings = [*case.reopenings, now.isoformat()][-MAX_REOPENINGS:]


def forget(case: Case) -> None:
    case.reopenings = []
    case.held_open_until = None


def is_flapping(case: Case, *, now: datetime) -> bool:
    return len(case.reopenings) == MAX_REOPENINGS and _until(case) > now


def hold_open(cases: Sequence[Case], *, now: datetime) -> None:
    """Keep these (locked, flapping) cases open; the timeline of each says so, once."""
    fresh = [case for case in cases if case.held_open_until is None]
    if not fresh:
        return
    for case in fresh:
        case.held_open_until, case.modified_at = _until(case), now
    tell([(case, Kind.COMMENT, "", _said(case)) for case in fresh], reason=BY_ITSELF, now=now)
    Case.objects.bulk_update(fresh, ("held_open_until", "modified_at"))
    mark_due(fresh)  # the comment goes to Jira, too


def _until(case: Case) -> datetime:
    """As long as its reopenings are within one window."""
    return datetime.fromisoformat(case.reopenings[0]) + WINDOW


def _said(case: Case) -> str:
    return (
        f"Stays open until {moment_text(_until(case))}: its findings were fixed and "
        f"reported again {MAX_REOPENINGS} times within {WINDOW.days} days. After that it closes "
        "as usual, if no finding is open. Closing it by hand ends this at once."
    )
