"""How fast an account may be called, by all workers of all machines together.

The account's row says when the next request may leave and how many a second may follow. The
rate grows slowly with every request and halves when Jira asks to slow down, so that it settles
below what Jira allows us, whatever else is using the same account.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ticketing.models import JiraAccount, RequestHour
from ticketing.trackers.base import Fault, TrackerError

log = structlog.stdlib.get_logger(__name__)

SLOWEST, FASTEST = 0.5, 50.0  # requests a second
GROWTH = 0.05  # of the rate, for each request
LONGEST_SLEEP = timedelta(seconds=1)
"""A worker is not held for longer before it begins: it is told to come back."""
LONGEST_PAUSE = timedelta(seconds=2.5)
"""Between two requests of one call: more than two of the slowest are apart."""
LONGEST_STEP = timedelta(seconds=5)
"""A next request farther away than this was noted by a machine with another clock."""
SHORT_REST, LONG_REST = timedelta(seconds=2), timedelta(seconds=30)
_random = secrets.SystemRandom()


class TooFast(TrackerError):
    """We refuse to call: nothing was sent. `retry_after` says when it may be."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(
            Fault.TRANSIENT,
            "Waiting, as Jira limits how fast it may be called.",
            retry_after=wait.total_seconds(),
            whole_account=True,
        )


class Pace:
    """Called before each request of one connection: sleeps a little, or raises TooFast."""

    def __init__(self, account_id: UUID) -> None:
        self._account_id = account_id
        self._holds = False
        self._guard: Callable[[], None] | None = None

    def __call__(self) -> None:
        if self._holds:
            self._holds = False
        else:
            self._wait(LONGEST_PAUSE)
        if self._guard:
            self._guard()

    @contextmanager
    def guarded(self, guard: Callable[[], None]) -> Iterator[None]:
        """Ask `guard` right before the next request, which it forbids by raising."""
        self._guard = guard
        try:
            yield
        finally:
            self._guard = None

    def hold(self) -> None:
        """Wait for the turn of the next request now, so that it leaves at once when it comes."""
        if not self._holds:
            self._wait(LONGEST_SLEEP)
            self._holds = True

    def _wait(self, longest: timedelta) -> None:
        time.sleep(_take_turn(self._account_id, longest=longest).total_seconds())


def pace_for(account: JiraAccount) -> Pace:
    return Pace(account.pk)


def heed(account: JiraAccount, error: TrackerError) -> None:
    """Take from a failed call what it says about calling the account again."""
    if isinstance(error, TooFast):
        return
    if error.status == 429:
        slow_down(account, error.retry_after)
        return
    _count(account.pk, "failed")
    if error.fault == Fault.TRANSIENT and error.whole_account:
        rest(account)


def slow_down(account: JiraAccount, retry_after: float | None = None) -> None:
    """Jira asks to: no request for so many seconds, and half as many after."""
    with transaction.atomic():
        _count(account.pk, "throttled")
        _pause(account.pk, timedelta(seconds=retry_after) if retry_after else None)
    log.warning("slowing down", account=account.name, retry_after=retry_after)


def rest(account: JiraAccount, wait: timedelta | None = None) -> None:
    """Nobody answers there: leave it alone for a moment, and for longer if that lasts."""
    with transaction.atomic():
        _pause(account.pk, wait)


@transaction.atomic
def _take_turn(account_id: UUID, *, longest: timedelta) -> timedelta:
    """Reserve the next request; how long to wait for it. Raises TooFast if that is long."""
    account = _lock(account_id)
    now = timezone.now()
    turn = _next_turn(account, now)
    if turn - now > longest:
        raise TooFast(turn - now)
    JiraAccount.objects.filter(pk=account_id).update(
        next_request_at=turn + timedelta(seconds=1 / account.rate),
        rate=min(account.rate + GROWTH, FASTEST),
    )
    _count(account_id, "requests")
    return turn - now


def _next_turn(account: JiraAccount, now: datetime) -> datetime:
    following = account.next_request_at
    if following - now > LONGEST_STEP:
        following = now
    return max(now, following, account.paused_until or now)


def _pause(account_id: UUID, wait: timedelta | None) -> None:
    account = _lock(account_id)
    now = timezone.now()
    changes: dict[str, float] = {}
    # Several requests of the same moment are refused together: that is one sign, not several.
    if account.paused_until is None or account.paused_until <= now:
        changes["rate"] = max(account.rate / 2, SLOWEST)
    if wait is None:
        wait = SHORT_REST if account.rate > 2 * SLOWEST else LONG_REST
    until = now + wait * _random.uniform(1, 1.1)
    JiraAccount.objects.filter(pk=account_id).update(
        paused_until=max(until, account.paused_until or until), **changes
    )


def _lock(account_id: UUID) -> JiraAccount:
    wanted = ("rate", "next_request_at", "paused_until")
    return JiraAccount.objects.select_for_update(no_key=True).only(*wanted).get(pk=account_id)


def _count(account_id: UUID, what: str) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    rows = RequestHour.objects.filter(account=account_id, hour=hour)
    if not rows.update(**{what: F(what) + 1}):
        first = RequestHour(account_id=account_id, hour=hour, **{what: 1})
        RequestHour.objects.bulk_create([first], ignore_conflicts=True)
