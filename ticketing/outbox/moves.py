"""The one writer of an external issue's state."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from ticketing.models import ExternalIssue
from ticketing.states import MOVES, State

MAX_CREATES = 3
"""After so many creates of which nobody knows what became, a person decides."""
MAX_FAILED_CREATES = 100
"""The same of those that likely failed (`settling.FAILED`): with their waits, a day of it."""


class ForbiddenMove(RuntimeError):
    """A change of state that `ticketing.states` does not know."""


def move(rows: QuerySet[ExternalIssue], came_from: State, to: State, /, **changes: Any) -> int:
    """Move those of the rows that are still in `came_from`; returns how many were.

    Whoever is told 0 has lost to somebody else and must not act on what it knows.
    """
    if to not in MOVES[came_from]:
        raise ForbiddenMove(f"{came_from} → {to}")
    return rows.filter(state=came_from).update(state=to, **changes)


def of(issue: ExternalIssue) -> QuerySet[ExternalIssue]:
    """The row, as long as the attempt is the one that `issue` was read with."""
    return ExternalIssue.objects.filter(pk=issue.pk, attempt=issue.attempt)
