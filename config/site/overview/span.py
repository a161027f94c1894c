"""The days that the page is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, timedelta
from typing import NamedTuple

from django.utils import timezone

RANGES: Mapping[str, tuple[str, int]] = {
    "1d": ("Today", 1),
    "7d": ("7 d", 7),
    "30d": ("30 d", 30),
    "90d": ("90 d", 90),
}


class Span(NamedTuple):
    """Whole UTC days, the present one the last of them."""

    slug: str
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def every(self) -> list[date]:
        return [self.first + timedelta(days=after) for after in range(self.days)]

    @property
    def first_before(self) -> date:
        """Of as many days before."""
        return self.first - timedelta(days=self.days)

    @property
    def title(self) -> str:
        return "Today" if self.days == 1 else f"Last {self.days} days"

    @property
    def before(self) -> str:
        return "the day before" if self.days == 1 else f"the {self.days} days before"


def span_of(slug: str) -> Span:
    """Seven days for a range there is not."""
    known = slug if slug in RANGES else "7d"
    last = utc_today()
    return Span(known, last - timedelta(days=RANGES[known][1] - 1), last)


def utc_today() -> date:
    return timezone.now().astimezone(UTC).date()
