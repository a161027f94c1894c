"""Where numbers lead: searches that find exactly what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.http import urlencode

from config.lib.links import address

OPEN = ("open", "in-progress")
TICKETED = ("automated", "manual")
HELD = (*TICKETED, "test")
LAST_DAY = "24h"
_DAY = timedelta(days=1)


Param = str | date | Sequence[str] | None


def findings(**params: Param) -> str:
    """The explorer with these parameters; `since` is its `from`."""
    named = {"from" if name == "since" else name: value for name, value in params.items()}
    wanted = {
        name: str(value) if isinstance(value, date) else value
        for name, value in named.items()
        if value is not None
    }
    return f"{address('findings:finding-list')}?{urlencode(wanted, doseq=True)}"


def on_day(day: date, **params: Param) -> str:
    return findings(since=day, to=day + _DAY, **params)


def open_at_end_of(day: date) -> str:
    return findings(by="open", to=day + _DAY)


def cases(query: str) -> str:
    """The list of cases, archived ones too."""
    return f"{address('ticketing:case-list')}?{urlencode({'view': 'every', 'q': query})}"


def evaluations(**params: str) -> str:
    """The evaluation log of the last 24 hours."""
    query = urlencode({**params, "from": LAST_DAY})
    return f"{address('automation:evaluation-log')}?{query}"
