"""What a rule would make of findings that come one after another.

A ticket of a group is open from its first finding until all of its findings are gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import NamedTuple

from findings.facts import Facts
from findings.grouping import group_key, values_of
from ticketing.models import MAX_FINDINGS_OF_GROUP


class Took(Enum):
    TICKET = "ticket"
    JOINED = "joined"  # an open ticket of its group
    OVER_LIMIT = "over_limit"


class Arrival(NamedTuple):
    """A finding as it comes; without a key it stands alone."""

    opened_at: datetime
    gone_at: datetime | None
    key: str | None


@dataclass(slots=True)
class _OpenTicket:
    last_gone_at: datetime | None  # None: one of its findings is still there
    size: int = 1

    def takes(self, arrival: Arrival) -> bool:
        is_open = self.last_gone_at is None or arrival.opened_at <= self.last_gone_at
        return is_open and self.size < MAX_FINDINGS_OF_GROUP

    def add(self, arrival: Arrival) -> None:
        self.size += 1
        if self.last_gone_at is not None:
            gone_at = arrival.gone_at
            self.last_gone_at = None if gone_at is None else max(gone_at, self.last_gone_at)


class Simulation:
    """One rule over the days; findings are to come in the order in which they opened."""

    def __init__(self, limit: int, *, reopens_closed: bool = False) -> None:
        self._limit = limit
        self._reopens = reopens_closed
        self._open: dict[str, _OpenTicket] = {}
        self.used: Counter[date] = Counter()
        self.over: Counter[date] = Counter()
        self.joined = 0

    def take(self, arrival: Arrival) -> Took:
        """A finding counts on the UTC day it opened."""
        there = self._open.get(arrival.key) if arrival.key else None
        if there and (there.takes(arrival) or self._may_reopen(there)):
            there.add(arrival)
            self.joined += 1
            return Took.JOINED
        day = arrival.opened_at.date()
        if self.used[day] >= self._limit:
            self.over[day] += 1
            return Took.OVER_LIMIT
        self.used[day] += 1
        if arrival.key:
            self._open[arrival.key] = _OpenTicket(arrival.gone_at)
        return Took.TICKET

    def _may_reopen(self, ticket: _OpenTicket) -> bool:
        return self._reopens and ticket.size < MAX_FINDINGS_OF_GROUP


def key_of(fields: Sequence[str], facts: Facts) -> tuple[str, Sequence[str]] | None:
    """The key of the finding's group and its values; None if it stands alone."""
    if not fields:
        return None
    found = values_of(fields, facts)
    return (group_key(fields, found), found) if found else None
