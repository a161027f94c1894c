"""How fast an account may be called, by all workers of all machines together.

The account's row says when the next request may leave and how many a second may follow. The
rate grows slowly with every request and halves when Jira asks to slow down, so that it settles
below what Jira allows us, whatever else is using the same account. Where one endpoint alone asks
to wait, it alone does, and the account as a whole is slowed a little.
"""

from __future__ import annotations

import secrets
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from config.lib.backoff import doubled
from ticketing.models import JiraAccount, RequestHour
from ticketing.trackers.base import CREATE, Fault, OutOfTime, TrackerError

log = structlog.stdlib.get_logger(__name__)

SLOWEST, FASTEST = 0.5, 50.0  # requests a second
GROWTH = 0.05  # of the rate, for each request
LONGEST_SLEEP = timedelta(seconds=1)
"""A worker is not held for longer before it begins: it is told to come back."""
LONGEST_PAUSE = timedelta(seconds=2.5)
"""Between two requests of one call: more than two of the slowest are apart."""
LONGEST_STEP = timedelta(seconds=5)
"""A next request farther away than this was noted by a machine with another clock."""
ENOUGH_UNSURE = 3
"""In a row. Two are chance too often: where three in ten fail, each eleventh time."""
SHORT_REST, LONG_REST = timedelta(seconds=2), timedelta(seconds=30)
SLOWEST_OF_OTHERS = 5.0
"""Requests a second that are left to the account where one of its endpoints asks to wait."""
MAX_ENDPOINTS = 20  # that wait at a time
_CREATES = ("unsure_in_a_row", "creates_paused_until")
_random = secrets.SystemRandom()


class TooFast(TrackerError):
    """We refuse to call: nothing was sent. `retry_after` says when it may be."""

    def __init__(self, wait: timedelta, *, endpoint: str = "") -> None:
        super().__init__(
            Fault.TRANSIENT,
            "Waiting, as Jira limits how fast it may be called.",
            retry_after=wait.total_seconds(),
            whole_account=not endpoint,
            endpoint=endpoint,
        )


class Pace:
    """Called before each request of one connection: sleeps a little, or raises TooFast."""

    def __init__(self, account_id: UUID) -> None:
        self._account_id = account_id
        self._holds = False

    def __call__(self, endpoint: str) -> None:
        if self._holds:
            self._holds = False
            _refuse_paused(self._account_id, endpoint)
        else:
            self._wait(LONGEST_PAUSE, endpoint)

    def hold(self) -> None:
        """Wait for the turn of the next request now, so that it leaves at once when it comes."""
        if not self._holds:
            self._wait(LONGEST_SLEEP)
            self._holds = True

    def _wait(self, longest: timedelta, endpoint: str = "") -> None:
        turn = _take_turn(self._account_id, endpoint, longest=longest)
        time.sleep(turn.total_seconds())


def pace_for(account: JiraAccount) -> Pace:
    return Pace(account.pk)


def heed(account: JiraAccount, error: TrackerError) -> None:
    """Take from a failed call what it says about calling the account again."""
    if isinstance(error, TooFast | OutOfTime):
        return
    if error.endpoint:
        heed_endpoint(account, error)
        return
    if error.status == 429:
        slow_down(account, error.retry_after)
        return
    _count(account.pk, "failed")
    if error.suspicious or (error.fault == Fault.TRANSIENT and error.whole_account):
        rest(account)


def heed_endpoint(account: JiraAccount, error: TrackerError) -> None:
    """The same, if it is one endpoint that asks to wait: the others go on."""
    if not error.endpoint or isinstance(error, TooFast):
        return
    with transaction.atomic():
        _count(account.pk, "throttled")
        _pause_endpoint(account.pk, error.endpoint, error.retry_after)
    log.warning("endpoint pauses", account=account.name, endpoint=error.endpoint)


def slow_down(account: JiraAccount, retry_after: float | None = None) -> None:
    """Jira asks to: no request for so many seconds, and half as many after."""
    with transaction.atomic():
        _count(account.pk, "throttled")
        _pause(account.pk, timedelta(seconds=retry_after) if retry_after else None)
    log.warning("slowing down", account=account.name, retry_after=retry_after)


def count_unsure(account: JiraAccount, retry_after: float | None = None) -> None:
    """A create of which nobody knows what became. Several in a row stop creates for a moment,
    and longer each time: what is not sent need not be looked for. Looks go on.

    `account` is as it was when the create was claimed: those that left before creates stopped
    fail together, which is one sign, not several.
    """
    rows = JiraAccount.objects.filter(pk=account.pk)
    with transaction.atomic():
        counted = _lock(account.pk).unsure_in_a_row
        is_sign = counted < ENOUGH_UNSURE or counted == account.unsure_in_a_row
        in_a_row = counted + is_sign
        rows.update(unsure_in_a_row=min(in_a_row, 1000))
        if retry_after is None and not (is_sign and in_a_row >= ENOUGH_UNSURE):
            return
        rest = doubled(SHORT_REST, in_a_row - ENOUGH_UNSURE, longest=LONG_REST)
        wait = max(rest, timedelta(seconds=retry_after or 0))
        rows.update(creates_paused_until=timezone.now() + wait * _random.uniform(1, 1.1))
    log.warning("creates pause", account=account.name, in_a_row=in_a_row)


def count_created(account: JiraAccount) -> None:
    """It creates, whether or not its answer arrived: creates go on."""
    rows = JiraAccount.objects.filter(pk=account.pk, unsure_in_a_row__gt=0)
    if rows.exists():  # a write each time would be one too many
        rows.update(unsure_in_a_row=0, creates_paused_until=None)


def let_one_through(account: JiraAccount, now: datetime) -> None:
    """A create was claimed: where the last ones have failed, the others wait for what it says."""
    if account.unsure_in_a_row >= ENOUGH_UNSURE:
        rows = JiraAccount.objects.filter(pk=account.pk)
        rows.update(creates_paused_until=now + SHORT_REST)


def rest(account: JiraAccount, wait: timedelta | None = None) -> None:
    """Nobody answers there: leave it alone for a moment, and for longer if that lasts."""
    with transaction.atomic():
        _pause(account.pk, wait)


@transaction.atomic
def _take_turn(account_id: UUID, endpoint: str, *, longest: timedelta) -> timedelta:
    """Reserve the next request; how long to wait for it. Raises TooFast if that is long."""
    account = _lock(account_id)
    now = timezone.now()
    _refuse(account, endpoint, now)
    turn = _next_turn(account, now)
    if turn - now > longest:
        raise TooFast(turn - now)
    JiraAccount.objects.filter(pk=account_id).update(
        next_request_at=turn + timedelta(seconds=1 / account.rate),
        rate=min(account.rate + GROWTH, FASTEST),
    )
    _count(account_id, "requests")
    return turn - now


def _refuse_paused(account_id: UUID, endpoint: str) -> None:
    account = JiraAccount.objects.only("endpoint_pauses").get(pk=account_id)
    _refuse(account, endpoint, timezone.now())


def _refuse(account: JiraAccount, endpoint: str, now: datetime) -> None:
    left = account.endpoint_pauses.get(endpoint, 0) - now.timestamp()
    if left > 0:
        raise TooFast(timedelta(seconds=left), endpoint=endpoint)


def _pause_endpoint(account_id: UUID, endpoint: str, retry_after: float | None) -> None:
    account, now = _lock(account_id), timezone.now()
    pauses = {name: at for name, at in account.endpoint_pauses.items() if at > now.timestamp()}
    changes: dict[str, Any] = {}
    if endpoint not in pauses:  # several refusals of one moment are one sign
        changes["rate"] = max(min(account.rate, SLOWEST_OF_OTHERS), account.rate / 2)
    wait = timedelta(seconds=retry_after) if retry_after else SHORT_REST
    until = now + wait * _random.uniform(1, 1.1)
    pauses[endpoint] = max(until.timestamp(), pauses.get(endpoint, 0))
    kept = sorted(pauses.items(), key=lambda each: -each[1])[:MAX_ENDPOINTS]
    changes["endpoint_pauses"] = dict(kept)
    if endpoint == CREATE:  # nothing is claimed that could not be sent
        paused = account.creates_paused_until or until
        changes["creates_paused_until"] = max(until, paused)
    JiraAccount.objects.filter(pk=account_id).update(**changes)


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
    wanted = ("rate", "next_request_at", "paused_until", "endpoint_pauses", *_CREATES)
    return JiraAccount.objects.select_for_update(no_key=True).only(*wanted).get(pk=account_id)


def _count(account_id: UUID, what: str) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    rows = RequestHour.objects.filter(account=account_id, hour=hour)
    if not rows.update(**{what: F(what) + 1}):
        first = RequestHour(account_id=account_id, hour=hour, **{what: 1})
        RequestHour.objects.bulk_create([first], ignore_conflicts=True)
