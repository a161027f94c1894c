"""Mutes end: however many at once, in chunks that leave room for everything else.

One of a rule that has expired is for the rules to say: another one may mute the finding now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from config.lib.deadline import Deadline
from config.lib.isolation import run_batch, run_each
from findings.evaluations import request_recheck
from findings.facts import Status
from findings.models import Finding
from findings.services import end_mutes, lock
from findings.signals import findings_changed
from findings.workflow import NOT_MUTED

CHUNK = 1_000
SECONDS_A_RUN = 10.0  # then others have their turn, also where there is one worker


def wake_muted(now: datetime, *, seconds: float = SECONDS_A_RUN) -> bool:
    """Open the findings whose mute has ended; False if time was over before all were.

    Each chunk is a transaction: whatever dies, the next run goes on with what is left.
    """
    deadline = Deadline(seconds)
    woken: list[int] = []

    def wake(pks: Sequence[int]) -> None:
        run_batch(pks, lambda some: woken.append(_wake(some, now)))

    try:
        run_each(_chunks(now, deadline), wake)
    finally:
        # Once a run and not for each chunk, as those who hear it look through everything.
        if any(woken):
            findings_changed.send(sender=Finding)
    return not (deadline.is_over and _ended(now).exists())


def _chunks(now: datetime, deadline: Deadline) -> Iterator[Sequence[int]]:
    """Those whose mute ended first come first; the first chunk in any case."""
    failed: set[int] = set()
    while pks := list(
        _ended(now)
        .exclude(pk__in=failed)
        .order_by("muted_until")
        .values_list("pk", flat=True)[:CHUNK]
    ):
        yield pks
        if deadline.is_over:
            return
        failed.update(_ended(now).filter(pk__in=pks).values_list("pk", flat=True))


@transaction.atomic
def _wake(pks: Sequence[int], now: datetime) -> int:
    # Looked at again under the lock: a person may have muted one anew meanwhile.
    ended = [f for f in lock(pks) if f.muted_until is not None and f.muted_until <= now]
    of_rules = [f.pk for f in ended if f.mute_rule_id]
    if of_rules:
        Finding.objects.filter(pk__in=of_rules).update(muted_until=None)
        request_recheck(of_rules, now=now)
    of_people = [f for f in ended if not f.mute_rule_id]
    return end_mutes(of_people, NOT_MUTED, actor=None, note="The mute ended.")


def _ended(now: datetime) -> QuerySet[Finding]:
    return Finding.objects.filter(status=Status.MUTED, muted_until__lte=now)
