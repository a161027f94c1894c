"""What a due-date rule says, and the day that follows from it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from automation.kinds.description import Description
from findings.facts import FindingType, Severity

MAX_DAYS = 365
WRONG_DAYS = f"Enter a whole number from 1 to {MAX_DAYS}."
CVE_TYPES = frozenset({FindingType.HOST_AND_CONTAINER, FindingType.LIBRARY})
CVE_TYPES_ONLY = (
    "Fix available needs CVE types only: Library, Container Image and Host Vulnerability."
)


class DueFrom(StrEnum):
    FIRST_SEEN = "first_seen"
    FIX_AVAILABLE = "fix_available"


class DueDays(msgspec.Struct, frozen=True, kw_only=True):
    severity: Severity
    due_in_days: Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 1, "maximum": MAX_DAYS})]


class SetDueDate(msgspec.Struct, frozen=True, kw_only=True):
    due_from: DueFrom
    due_days_per_severity: Annotated[
        Sequence[DueDays],
        msgspec.Meta(description="Each severity once.", extra_json_schema={"minItems": 1}),
    ]
    reason_description: Description | None = None

    @property
    def days(self) -> Mapping[str, int]:
        return {each.severity.value: each.due_in_days for each in self.due_days_per_severity}


def due_on(
    action: SetDueDate, *, severity: str, first_seen: datetime, fix_available: datetime | None
) -> date | None:
    """The last day, in UTC, on which the finding is not overdue; None: no date at its severity."""
    days = action.days.get(severity)
    if days is None:
        return None
    start = first_seen
    if action.due_from is DueFrom.FIX_AVAILABLE and fix_available:
        start = fix_available
    return start.astimezone(UTC).date() + timedelta(days=days)
