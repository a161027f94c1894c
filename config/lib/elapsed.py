"""How long ago something was, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from config.lib.utc import day_text


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
