"""When something was, in words, for people who read it now."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from config.lib.utc import day_text, short_day_text, time_text


def elapsed(moment: datetime, *, short: bool = False) -> str:
    """ "6 min ago", "yesterday", "3 d ago"; short: "6m ago"."""
    now = timezone.now()
    seconds = int((now - moment).total_seconds())
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60}{'m' if short else ' min'} ago"
    if seconds < 24 * 3600:
        return f"{seconds // 3600}{'h' if short else ' h'} ago"
    if moment.date() == (now - timedelta(days=1)).date():
        return "yesterday"
    if seconds < 30 * 24 * 3600:
        return f"{(now.date() - moment.date()).days}{'d' if short else ' d'} ago"
    return day_text(moment)


def when_text(moment: datetime, *, is_kept: bool = False) -> str:
    """ "at 09:27 UTC" of today, else "on 23 Nov at 09:27 UTC", with the year if it is another one.

    A time alone is taken for today's, so a text that `is_kept` always has its day.
    """
    today = timezone.now().date()
    at = f"at {time_text(moment)} UTC"
    if moment.date() == today and not is_kept:
        return at
    day = short_day_text(moment) if moment.year == today.year else day_text(moment)
    return f"on {day} {at}"
