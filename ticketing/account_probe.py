"""Does an account that gave a strange answer still work? Asked until it does.

The proof is that Jira itself answers, in its own words, to the account that we are there. See
`accounts` for what follows.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from config.accounts.models import User
from config.lib.deadline import TASK_SECONDS, Deadline
from ticketing import accounts
from ticketing.models import JiraAccount
from ticketing.trackers.base import Fault, OutOfTime, TrackerError
from ticketing.trackers.registry import tracker_for

State = JiraAccount.State
SECONDS = 8.0  # for one look; others wait behind it
LEASE = timedelta(minutes=1)
_THROTTLED = 429


def is_anything_due(now: datetime) -> bool:
    return _due(now).exists()


def probe_due() -> int:
    """Look at each account whose time has come; returns at how many."""
    deadline = Deadline(TASK_SECONDS)
    due = list(_due(timezone.now()).values_list("pk", "probe_at"))
    random.shuffle(due)
    looked_at = 0
    for pk, probe_at in due:
        if deadline.left < SECONDS:
            break  # the rest is due still
        if _claim(pk, probe_at):
            probe(JiraAccount.objects.get(pk=pk), deadline=deadline)
            looked_at += 1
    return looked_at


def probe(account: JiraAccount, *, deadline: Deadline, actor: User | None = None) -> bool:
    """Look now; whether it works. `actor` is who wanted to know."""
    JiraAccount.objects.filter(pk=account.pk).update(probed_at=timezone.now())
    try:
        with tracker_for(account, pace=_at_once, deadline=deadline.within(SECONDS)) as tracker:
            tracker.identify()
    except OutOfTime:
        return False
    except TrackerError as error:
        if error.status == _THROTTLED:  # says nothing of who we are
            wait = timedelta(seconds=error.retry_after or 60)
            stopped = JiraAccount.objects.filter(pk=account.pk).exclude(state=State.CONNECTED)
            stopped.update(probe_at=timezone.now() + wait)
        elif account.state == State.CONNECTED:
            accounts.suspect(account, error.reason)
        else:
            state = State.AUTH_FAILED if error.fault is Fault.AUTH else State.BROKEN
            accounts.pause(account, error.reason, state=state)
        return False
    accounts.resume(account, actor=actor)
    return True


def _due(now: datetime) -> QuerySet[JiraAccount]:
    stopped = JiraAccount.objects.filter(deleted_at=None, connected_at__isnull=False)
    due = stopped.exclude(state=State.CONNECTED).filter(Q(probe_at=None) | Q(probe_at__lte=now))
    return due.order_by()


def _claim(pk: UUID, probe_at: datetime | None) -> bool:
    """Should we die, it is looked at again soon."""
    mine = JiraAccount.objects.filter(pk=pk, probe_at=probe_at)
    return bool(mine.update(probe_at=timezone.now() + LEASE))


def _at_once(_: str) -> None:
    """One request for each look: a limit on requests is no reason to look later."""
