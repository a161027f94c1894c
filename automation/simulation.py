"""What a rule would make of findings that come one after another.

A ticket of a group is open from its first finding until all of its findings are gone. Moments are
microseconds since 1970, days are counted from there, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from datetime import date
from enum import Enum

from ticketing.models import MAX_FINDINGS_OF_GROUP

STILL_THERE = 2**63 - 1
"""When a finding is gone that is not."""
_DAY = 86_400_000_000
_FIRST_DAY = date(1970, 1, 1).toordinal()


class Took(Enum):
    TICKET = "ticket"
    JOINED = "joined"  # an open ticket of its group
    OVER_LIMIT = "over_limit"


class Simulation:
    """One rule over the days; findings are to come in the order in which they opened."""

    def __init__(self, limit: int, *, reopens_closed: bool = False) -> None:
        self._limit = limit
        self._reopens = reopens_closed
        self._tickets: dict[Hashable, list[int]] = {}
        """The last of each group: when all of its findings are gone, and how many they are."""
        self._used: dict[int, int] = {}
        self._over: dict[int, int] = {}
        self.joined = 0

    def take(self, opened: int, gone: int, group: Hashable | None) -> Took:
        """A finding counts on the UTC day it opened; without a group it stands alone."""
        ticket = None if group is None else self._tickets.get(group)
        if ticket is not None:
            last_gone, size = ticket
            if size < MAX_FINDINGS_OF_GROUP and (opened <= last_gone or self._reopens):
                ticket[:] = max(last_gone, gone), size + 1
                self.joined += 1
                return Took.JOINED
        day = opened // _DAY
        used = self._used.get(day, 0)
        if used >= self._limit:
            self._over[day] = self._over.get(day, 0) + 1
            return Took.OVER_LIMIT
        self._used[day] = used + 1
        if group is not None:
            self._tickets[group] = [gone, 1]
        return Took.TICKET

    @property
    def used(self) -> Counter[date]:
        return _by_date(self._used)

    @property
    def over(self) -> Counter[date]:
        return _by_date(self._over)


def _by_date(numbers: dict[int, int]) -> Counter[date]:
    return Counter({date.fromordinal(_FIRST_DAY + day): each for day, each in numbers.items()})
