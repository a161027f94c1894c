"""Claims of workers that are gone: given back at once, or looked for.

A claim ends with its lease. It ends sooner when its worker is known to have ended: on the same
machine by its process, elsewhere by the silence of its cluster (`config.runtime`).
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from config.lib.workers import has_ended
from ticketing.models import Attempt, ExternalIssue, JiraAccount
from ticketing.outbox import timing
from ticketing.outbox.moves import move
from ticketing.states import State

LOST = "lost"


def claiming_workers() -> set[str]:
    """The names of those who hold a claim, or serve an account."""
    held = _held().order_by().values_list("worker")
    serving = JiraAccount.objects.exclude(served_by="").order_by().values_list("served_by")
    return {name for (name,) in held.union(serving) if name}


def is_any_lost() -> bool:
    return any(has_ended(worker) for worker in claiming_workers())


def free_lost(is_lost: Callable[[str], bool] = has_ended) -> int:
    """Free what workers hold that are gone, or that let their lease run out."""
    gone = [worker for worker in claiming_workers() if is_lost(worker)]
    if gone:
        serving = JiraAccount.objects.filter(served_by__in=gone)
        serving.update(served_by="", served_until=None)
    return _free(Q(act_at__lt=timezone.now()) | Q(worker__in=gone))


def _held() -> QuerySet[ExternalIssue]:
    """Claims, by the index of what needs something: SQLite would read all issues by state."""
    return ExternalIssue.objects.filter(state=State.SENDING, act_at__isnull=False)


@transaction.atomic
def _free(condition: Q) -> int:
    """What may have left is unsure, the rest waits again."""
    now = timezone.now()
    held = _held().filter(condition)
    attempts = list(held.values_list("attempt", flat=True))
    if not attempts:
        return 0
    rows = ExternalIssue.objects.filter(attempt__in=attempts)
    freed = move(
        rows.filter(posted_at=None),
        State.SENDING,
        State.PENDING,
        lease_until=None,
        not_before=now,
        reason="The worker was lost before it sent anything.",
    )
    freed += _mark_unsure(rows)
    tries = Attempt.objects.filter(pk__in=[pk for pk in attempts if pk], ended_at=None)
    unsure = ExternalIssue.objects.filter(state=State.UNSURE).values("attempt")
    tries.filter(pk__in=unsure).update(ended_at=now, outcome="unsure", reason="Worker lost.")
    tries.update(ended_at=now, outcome=LOST, reason="Worker lost.")
    return freed


def _mark_unsure(rows: QuerySet[ExternalIssue]) -> int:
    return move(
        rows,
        State.SENDING,
        State.UNSURE,
        lease_until=None,
        not_before=timezone.now(),
        was_unsure=True,
        lookups=0,
        proof_from=F("posted_at") + timing.TIMING.believed,
        fault="unsure",
        reason="The worker was lost while Jira was creating the issue.",
    )
