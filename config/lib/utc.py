"""Days and moments, of UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time


def epoch_ms(moment: datetime) -> int:
    """As the public API and a finding's workflow write moments."""
    return round(moment.timestamp() * 1000)


def midnight(day: date) -> datetime:
    """The moment with which the day begins."""
    return datetime.combine(day, time(), UTC)
