"""What every page's frame shows: the theme, the UTC day and how far it has run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from config.lib.utc import midnight

THEMES = ("light", "dark")


def shell(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    reset = midnight(now) + timedelta(days=1)
    minutes_left = int((reset - now).total_seconds()) // 60
    theme = request.COOKIES.get("theme", "")
    return {
        # With no cookie js/theme.js asks the browser.
        "theme": theme if theme in THEMES else "",
        "nav_folded": request.COOKIES.get("nav") == "folded",
        # Asked for by pages inside the shell alone: pages about errors must not need a database.
        "session_ends": lambda: request.session.get_expiry_date(),  # noqa: PLW0108 - there may be no session
        "utc_now": now,
        "utc_reset": reset,
        "utc_reset_in": f"{minutes_left // 60} h {minutes_left % 60} min",
        "utc_day_percent": round((1440 - minutes_left) / 14.4),
    }
