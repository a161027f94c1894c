"""Tickets of rules and of people by the UTC day they were created."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from config.lib.utc import midnight
from config.site.overview.links import cases
from ticketing.models import Case


@dataclass(frozen=True, slots=True)
class TicketDay:
    day: date
    automated: int
    manual: int

    @property
    def href(self) -> str:
        return cases(f"created:{self.day} (origin:rule OR origin:manual OR origin:api)")


def ticket_days(first: date, last: date) -> list[TicketDay]:
    """Tickets of rules and of people on each UTC day; test tickets and limit notices are none."""
    by_rule = Count("pk", filter=Q(origin=Case.Origin.RULE))
    by_hand = Count("pk", filter=Q(origin__in=[Case.Origin.MANUAL, Case.Origin.API]))
    rows = (
        Case.objects.filter(created_at__gte=midnight(first))
        .order_by()
        .values(day=TruncDate("created_at", tzinfo=UTC))
        .annotate(automated=by_rule, manual=by_hand)
    )
    found = {row["day"]: TicketDay(**row) for row in rows}
    every = [first + timedelta(days=after) for after in range((last - first).days + 1)]
    return [found.get(day) or TicketDay(day, 0, 0) for day in every]
