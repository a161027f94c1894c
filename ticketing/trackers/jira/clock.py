"""How far Jira's clock is ahead of ours, from the `Date` of its answers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LARGEST = timedelta(days=1)  # more than that is no clock, but nonsense
_SECOND = timedelta(seconds=1)  # the header has no smaller unit


class Clock:
    """Keeps the most exact of what it was shown. `ahead` is nothing until it surely is not."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._doubt: timedelta | None = None

    def show(self, date: str, *, sent_at: datetime, received_at: datetime) -> None:
        """The header of an answer, which was written at some time between these two of ours."""
        try:
            theirs = parsedate_to_datetime(date)
        except (ValueError, TypeError, IndexError):
            return
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
        least, most = theirs - received_at, theirs + _SECOND - sent_at
        middle, doubt = (least + most) / 2, most - least
        if abs(middle) > LARGEST or (self._doubt is not None and doubt > self._doubt):
            return
        self._doubt = doubt
        self.ahead = timedelta() if least <= timedelta() <= most else middle
