"""How often signing in may fail before it is paused, and for how long.

Failures of the last 15 minutes count against three limits:

- 5 of one name from one address: somebody guesses a password.
- 20 from one address, whatever the names: somebody tries a likely password on many names.
- 50 of one name, whatever the addresses: many machines guess one person's password. The
  4,800 guesses a day that remain are too few for a password that the validators accept.

The last two do not hold where that name has signed in from that address within 90 days. So a
stranger can pause no person's usual place, however often and from wherever they fail, and not
even a whole office whose people share an address; for such a pair the first limit is left. The
price: who attacks a name keeps its person from signing in at a new place meanwhile.

Names that do not exist count like those that do, and a success clears its own pair alone, or
one's own account would give tries at other people's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

PER_NAME_AND_ADDRESS: int = settings.AXES_FAILURE_LIMIT
PER_ADDRESS = 20
PER_NAME = 50
WINDOW = timedelta(hours=settings.AXES_COOLOFF_TIME)
KNOWN_FOR = timedelta(days=90)


class RemainingTries(NamedTuple):
    """Where a name stands at an address."""

    tries_left: int
    paused_until: datetime | None  # None while tries are left


def remaining_tries(username: str | None, address: str) -> RemainingTries:
    now = timezone.now()
    recent = AccessAttempt.objects.filter(attempt_time__gt=now - WINDOW)
    from_here, of_name = recent.filter(ip_address=address), recent.filter(username=username)
    limits = [_against(PER_NAME_AND_ADDRESS, from_here.filter(username=username))]
    known = AccessLog.objects.filter(
        username=username, ip_address=address, attempt_time__gt=now - KNOWN_FOR
    )
    if not known.exists():
        limits += [_against(PER_ADDRESS, from_here), _against(PER_NAME, of_name)]
    ends = [each.paused_until for each in limits if each.paused_until]
    return RemainingTries(min(each.tries_left for each in limits), max(ends, default=None))


def _against(limit: int, failures: QuerySet[AccessAttempt]) -> RemainingTries:
    """Paused until so many of the failures are old that fewer than `limit` are left."""
    rows = failures.order_by("attempt_time").values_list("attempt_time", "failures_since_start")
    count = sum(number for _, number in rows)
    tries_left, paused_until = max(0, limit - count), None
    for failed_at, number in rows:
        if count < limit:
            break
        count -= number
        paused_until = failed_at + WINDOW
    return RemainingTries(tries_left, paused_until)


class SignInHandler(AxesDatabaseHandler):
    """Records failures as the library does, and judges them by the limits above."""

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """How many of the tries, which are as many as the smallest limit, are used up."""
        username = get_client_username(request, credentials)
        left = remaining_tries(username, request.axes_ip_address).tries_left  # type: ignore[attr-defined]
        return PER_NAME_AND_ADDRESS - min(PER_NAME_AND_ADDRESS, left)
