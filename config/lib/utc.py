"""Days and moments, of UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """As the public API and a finding's workflow write moments."""
    return round(moment.timestamp() * 1000)


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // timedelta.resolution


def moment_of(microseconds: int) -> datetime:
    """Since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def midnight(day: date) -> datetime:
    """The moment with which the day begins."""
    return datetime.combine(day, time(), UTC)


# --- As people read them: nobody else writes the name of a month -------------------------


def day_text(day: date) -> str:
    """ "23 Nov 2026"."""
    return f"{day.day} {day:%b %Y}"


def short_day_text(day: date) -> str:
    """ "23 Nov": where the year goes without saying."""
    return f"{day.day} {day:%b}"


def weekday_text(day: date) -> str:
    """ "Mon 23 Nov"."""
    return f"{day:%a} {short_day_text(day)}"


def month_text(day: date) -> str:
    """ "Nov 2026"."""
    return f"{day:%b %Y}"


def time_text(moment: datetime) -> str:
    """ "09:27", of a moment in UTC."""
    return f"{moment:%H:%M}"


def moment_text(moment: datetime) -> str:
    """ "23 Nov 2026, 09:27 UTC"."""
    return f"{day_text(moment)}, {time_text(moment)} UTC"


def stamp(moment: datetime) -> str:
    """ "2026-11-23T09:27:00Z": for programs."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
