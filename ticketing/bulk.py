"""Bulk runs: one deed on everything that a search found, worked off by the queue.

A run keeps a step for each finding. A worker claims the run with a lease and does a few steps in
each transaction, together with the deed itself: whatever dies, and however many work at once,
each finding has its deed done once or not at all. What a dead worker left falls due again when
its lease is over.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.rows import writer
from config.lib.tasks import enqueue
from ticketing.attaching import Remote, attach_to_issue
from ticketing.bulk_deeds import DEEDS, CannotGoOn, Result
from ticketing.models import BulkRun, BulkStep, Case, Destination

MOST = 10_000  # findings in a run
CHUNK = 50  # findings in a transaction: what a ticket takes at once
STINT = 35  # seconds: the queue ends a task after 60
LEASE = timedelta(minutes=2)
MOST_TRIES = 3  # of one finding, after those of its chunk
KEPT = timedelta(days=90)

Deed, State, Outcome = BulkRun.Deed, BulkRun.State, BulkStep.Outcome
NEEDS: Mapping[str, Permission] = {
    Deed.TICKETS: Permission.CASES_WRITE,
    Deed.ATTACH: Permission.CASES_WRITE,
    Deed.MUTE: Permission.FINDINGS_WRITE,
    Deed.ASSIGN: Permission.FINDINGS_WRITE,
    Deed.STATUS: Permission.FINDINGS_WRITE,
}


class TooMany(ValueError):
    """A run takes up to MOST findings."""


def start(
    run_id: uuid.UUID,
    *,
    deed: str,
    said: Mapping[str, Any],
    finding_pks: Sequence[int],
    search: str,
    actor: User,
) -> BulkRun:
    """Keep the run and ring the queue. What a person asks twice under one id is one run."""
    if len(finding_pks) > MOST:
        raise TooMany(f"A bulk run takes up to {MOST:,} findings.")
    run_id = uuid.uuid5(actor.pk, str(run_id))  # of two people it is two
    run = BulkRun(id=run_id, deed=deed, said=dict(said), search=search, actor=actor)
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            writer().insert(
                BulkStep,
                ("run_id", "finding_id", "position", "outcome", "reason"),
                [(run_id, pk, nth, Outcome.WAITING, "") for nth, pk in enumerate(finding_pks, 1)],
            )
            ring()
    except IntegrityError:
        return BulkRun.objects.get(pk=run_id)
    return run


@transaction.atomic
def start_attaching(
    run_id: uuid.UUID, found: Case | Remote, destination: Destination | None, **said: Any
) -> BulkRun:
    """As `start`, to a case that is there or to one that is opened for an issue in Jira."""
    if isinstance(found, Remote) and destination is not None:
        case = attach_to_issue(found, destination, [], actor=said["actor"])
        key = found.ref.key
    else:
        case = cast("Case", found)
        key = case.key
    said["said"] = {**said["said"], "case": str(case.pk), "key": key}
    return start(run_id, deed=Deed.ATTACH, **said)


def ring() -> None:
    enqueue("ticketing.tasks.work_bulk_runs")


def stop(run: BulkRun, *, reason: str) -> bool:
    """Leave what is not done yet; False if there was nothing to stop."""
    return _end(BulkRun.objects.filter(pk=run.pk), State.STOPPED, reason=reason)


def go_on(run: BulkRun, *, actor: User) -> bool:
    """Work on what failed or was left, from now on for `actor`; False if it has not ended."""
    with transaction.atomic():
        ended = BulkRun.objects.filter(pk=run.pk).exclude(state=State.RUNNING)
        if not ended.update(
            state=State.RUNNING,
            actor=actor,
            reason="",
            finished_at=None,
            seen_at=None,
            lease=None,
            leased_until=None,
            tries=0,
        ):
            return False
        run.steps.filter(outcome=Outcome.FAILED).update(outcome=Outcome.WAITING, reason="")
        ring()
    return True


def put_away(run: BulkRun) -> None:
    """The person has seen how it ended."""
    ended = BulkRun.objects.filter(pk=run.pk).exclude(state=State.RUNNING)
    ended.update(seen_at=timezone.now())


def forget_old(now: datetime) -> None:
    BulkRun.objects.filter(finished_at__lt=now - KEPT).delete()


# --- Working ----------------------------------------------------------------------------


def work_due(*, seconds: float = STINT) -> bool:
    """Work on the runs that wait; False when the time was over before the work was."""
    ends = monotonic() + seconds
    while (claimed := _claim(timezone.now())) is not None:
        while _advance(claimed):
            if monotonic() > ends:
                _give_back(claimed)
                return False
    return True


def _claim(now: datetime) -> BulkRun | None:
    """A run that nobody works on, oldest first, with a lease of ours."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    while True:
        run = BulkRun.objects.filter(free, state=State.RUNNING).order_by("created_at").first()
        if run is None:
            return None
        lease = uuid.uuid4()
        mine = BulkRun.objects.filter(free, pk=run.pk, lease=run.lease, state=State.RUNNING)
        if mine.update(lease=lease, leased_until=now + LEASE, tries=F("tries") + 1):
            run.lease = lease
            return run


def _give_back(claimed: BulkRun) -> None:
    BulkRun.objects.filter(pk=claimed.pk, lease=claimed.lease).update(leased_until=None)


@transaction.atomic
def _advance(claimed: BulkRun) -> bool:
    """The next few steps, with what they do; False when there is nothing more for us to do."""
    ours = BulkRun.objects.filter(pk=claimed.pk, lease=claimed.lease, state=State.RUNNING)
    run = ours.select_for_update(of=("self",)).select_related("actor").first()
    if run is None:  # stopped, or somebody else's since the lease was over
        return False
    if not (run.actor.is_active and run.actor.may(NEEDS[run.deed])):
        return not _end(ours, State.STOPPED, reason=f"{run.actor.name} may no longer do this.")
    # What failed as a whole is tried one by one, so that one finding does not stop the others.
    size = CHUNK if run.tries <= 1 else 1
    steps = list(run.steps.filter(outcome=Outcome.WAITING).order_by("position")[:size])
    if not steps:
        return not _end(ours, State.DONE)
    results: Mapping[int, Result]
    if run.tries > 1 + MOST_TRIES:
        results = {
            steps[0].finding_id: Result.failed(f"It failed {MOST_TRIES} times; see the log.")
        }
    else:
        try:
            with transaction.atomic():
                results = DEEDS[run.deed](run, [step.finding_id for step in steps])
        except CannotGoOn as problem:
            return not _end(ours, State.STOPPED, reason=str(problem))
    _keep(steps, results)
    ours.update(tries=0, leased_until=timezone.now() + LEASE)
    return True


def _keep(steps: Sequence[BulkStep], results: Mapping[int, Result]) -> None:
    rows = [(step.pk, *results[step.finding_id]) for step in steps]
    writer().update(BulkStep, Result._fields, rows)


def _end(runs: QuerySet[BulkRun], state: str, *, reason: str = "") -> bool:
    running = runs.filter(state=State.RUNNING)
    ended = {"state": state, "reason": reason, "finished_at": timezone.now(), "leased_until": None}
    return bool(running.update(**ended))
