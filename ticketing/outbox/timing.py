"""How long the outbox waits for what."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    lease: timedelta = timedelta(seconds=90)
    """A worker that has not settled its claim for so long is taken for dead. It sends within
    `fresh` or never; an answer that comes later is taken all the same."""
    fresh: timedelta = timedelta(seconds=30)
    """A claim older than this must not be sent any more."""

    number_is_fresh: timedelta = timedelta(minutes=10)
    """For so long the number of our last issue still tells where the space has got to."""

    looks: tuple[timedelta, ...] = (
        timedelta(seconds=10),
        timedelta(seconds=60),
        timedelta(minutes=2),
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(minutes=30),
        timedelta(minutes=60),
    )
    """After it may have been sent, when to look for an unsure issue that was not found at once."""
    believed: timedelta = timedelta(minutes=2)
    """Not found before that may be a request still on its way, after it is proof; not waited
    for where the tracker itself has answered."""
    apart: timedelta = timedelta(seconds=10)
    """Two looks that prove that there is nothing are at least so far apart."""
    look_lease: timedelta = timedelta(seconds=45)
    """A look-up that was not settled for so long is made again."""
    late_looks: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(hours=24))
    """When to look for a second issue of a ticket that ever was unsure."""

    first_wait: timedelta = timedelta(seconds=2)
    longest_wait: timedelta = timedelta(minutes=15)
    """Between two tries after a passing fault: doubled each time, up to this."""
    soon_again: int = 3
    """So many failures of one create do not double its wait: the looks between them take 10 s
    each, and where three in ten fail one ticket of a hundred fails four times in a row."""

    def scaled(self, factor: float) -> Self:
        """The same life, faster."""
        return replace(
            self, **{each.name: _scaled(getattr(self, each.name), factor) for each in fields(self)}
        )


def _scaled(value: Any, factor: float) -> Any:
    if isinstance(value, tuple):
        return tuple(each * factor for each in value)
    return value * factor if isinstance(value, timedelta) else value


TIMING = Timing()
