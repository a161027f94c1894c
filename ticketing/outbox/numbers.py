"""How many promises there are in each state."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Min

from ticketing.models import ExternalIssue
from ticketing.states import State


class InState(NamedTuple):
    state: State
    number: int
    oldest: datetime | None  # when the oldest of them was promised


def by_state() -> list[InState]:
    """Every state, in the order of life; one statement."""
    counted = ExternalIssue.objects.order_by().values_list("state")
    rows = {
        state: (count, oldest)
        for state, count, oldest in counted.annotate(Count("pk"), Min("created_at"))
    }
    return [InState(state, *rows.get(state, (0, None))) for state in State]
