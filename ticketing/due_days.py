"""Days by which something is due. Pure: a day has no time zone, and as a moment it is UTC's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple


def day_of(workflow: Mapping[str, Any]) -> date | None:
    """The day by which a finding has to be fixed, however its workflow writes it."""
    due = workflow.get("due_date")
    due = due.get("due_at") if isinstance(due, Mapping) else due
    if isinstance(due, int) and not isinstance(due, bool) and 0 < due < 10**13:
        return datetime.fromtimestamp(due / 1000, UTC).date()
    found = re.match(r"\d{4}-\d\d-\d\d(?!\d)", due) if isinstance(due, str) else None
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def moment_of(workflow: Mapping[str, Any]) -> datetime | None:
    """The same as findings keep it: the midnight of UTC with which it begins."""
    day = day_of(workflow)
    return datetime.combine(day, time(), UTC) if day else None


def earliest(workflows: Iterable[Mapping[str, Any]]) -> date | None:
    """Of open findings."""
    return min(filter(None, map(day_of, workflows)), default=None)


def said(day: date | None) -> str:
    """As timelines, the sync and tickets keep it: always an ISO day."""
    return day.isoformat() if day else ""


class DateField(NamedTuple):
    """A field of a tracker that holds a day, or a moment that stands for its day in UTC."""

    id: str
    has_time: bool

    def value(self, day: date) -> str:
        """As the tracker is sent it: as a moment the last minute of the day, not its first,
        which would be the day before for half of the world."""
        return f"{day.isoformat()}T23:59:00.000+0000" if self.has_time else day.isoformat()
