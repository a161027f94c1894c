"""Bulk runs: one deed on everything that a search found, worked off by the queue.

A run keeps a step for each finding. A worker claims the run with a lease and does a few steps in
each transaction, together with the deed itself: whatever dies, and however many work at once,
each finding has its deed done once or not at all.

A chunk that raises is done again at once, one finding in each transaction: the one that raises
alone is set aside with its reason. What a dead worker left falls due again when its lease is
over, a minute and a half later at most, and is done one by one, too.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, cast

import structlog
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from config.accounts.audit.events import Object, part_of_recorded_act, record_event
from config.accounts.models import User
from config.accounts.roles import Permission
from config.accounts.undo.acts import OFFERED, hand_over, record_act, start_hour
from config.lib.isolation import run_each
from config.lib.rows import writer
from config.lib.tasks import enqueue
from ticketing.attaching import Remote, attach_to_issue
from ticketing.bulk_deeds import CannotGoOn, Result
from ticketing.bulk_records import KINDS, perform
from ticketing.models import BulkRun, BulkStep, Case, Destination

log = structlog.stdlib.get_logger(__name__)

MOST = 10_000  # findings in a run
CHUNK = 50  # findings in a transaction: what a ticket takes at once
STINT = 35  # seconds: the queue ends a task after 60
LEASE = timedelta(seconds=90)  # of a chunk; the queue ends a task after 60 seconds
PAUSE = timedelta(seconds=15)  # after a fault that is not a finding's, as of the database
MOST_TRIES = 3  # without getting on, each ended by the death of its worker

Deed, State, Outcome = BulkRun.Deed, BulkRun.State, BulkStep.Outcome
NEEDS: Mapping[str, Permission] = {
    Deed.TICKETS: Permission.CASES_WRITE,
    Deed.ATTACH: Permission.CASES_WRITE,
    Deed.MUTE: Permission.FINDINGS_WRITE,
    Deed.ASSIGN: Permission.FINDINGS_WRITE,
    Deed.STATUS: Permission.FINDINGS_WRITE,
    Deed.SEVERITY: Permission.FINDINGS_WRITE,
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
        begin(run, finding_pks)
    except IntegrityError:
        return BulkRun.objects.get(pk=run_id)
    return run


@transaction.atomic
def begin(run: BulkRun, finding_pks: Sequence[int]) -> None:
    """Raises IntegrityError if a run of that id is there."""
    run.save(force_insert=True)
    writer().insert(
        BulkStep,
        ("run_id", "finding_id", "position", "outcome", "reason"),
        [(run.pk, pk, nth, Outcome.WAITING, "") for nth, pk in enumerate(finding_pks, 1)],
    )
    if run.deed in KINDS:
        record_act(act_kind(run.deed), actor=run.actor, act_id=run.pk)
    ring()
    _record(run, "started", actor=run.actor, count=len(finding_pks))


def act_kind(deed: str) -> str:
    """What a run is as an act that can be undone: it differs by who may."""
    return f"bulk.{NEEDS[deed]}"


def undo_id(run: BulkRun) -> uuid.UUID:
    """Of the one run that may undo it."""
    return uuid.uuid5(run.pk, "undo")


def permission_of(run: BulkRun) -> Permission:
    return NEEDS[run.said["deed"] if run.deed == Deed.UNDO else run.deed]


def _record(run: BulkRun, action: str, *, actor: User | None, count: int | None = None) -> None:
    """In the audit log: the run as a whole. What it does to each finding is no act of its own."""
    details = {"what": run.deed, "search": run.search, "reason": run.reason}
    on = Object(str(run.pk), run.get_deed_display())
    record_event("bulkrun", action, actor=actor, on=on, count=count, details=details)


@transaction.atomic
def start_attaching(
    run_id: uuid.UUID, found: Case | Remote, destination: Destination | None, **said: Any
) -> BulkRun:
    """As `start`, to a case that is there or to one that is opened for an issue in Jira."""
    if isinstance(found, Remote) and destination is not None:
        case = attach_to_issue(found, destination.project, [], actor=said["actor"])
        key = found.ref.key
    else:
        case = cast("Case", found)
        key = case.key
        said["said"] = {**said["said"], "was": case.status}
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
        # This locks its act, under which alone it is undone: what was undone does not go on.
        hand_over(run.pk, to=actor)
        if BulkRun.objects.filter(pk=undo_id(run)).exists():
            return False
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
            singly_through=0,
        ):
            return False
        run.steps.filter(outcome=Outcome.FAILED).update(outcome=Outcome.WAITING, reason="")
        _record(run, "continued", actor=actor)
        ring()
    return True


def put_away(run: BulkRun) -> None:
    """The person has seen how it ended."""
    ended = BulkRun.objects.filter(pk=run.pk).exclude(state=State.RUNNING)
    ended.update(seen_at=timezone.now())


def forget_records(now: datetime) -> None:
    """Of runs that can be undone no longer, and are not being undone. One run after the other."""
    undoing = BulkRun.objects.filter(deed=Deed.UNDO, state=State.RUNNING, finished_at=None)
    busy = [uuid.UUID(said["run"]) for said in undoing.values_list("said", flat=True)]
    over = BulkStep.objects.filter(before__isnull=False, run__finished_at__lt=now - OFFERED)
    for run_id in over.exclude(run__in=busy).order_by().values_list("run", flat=True).distinct():
        BulkStep.objects.filter(run=run_id).update(before=None, after=None)


# --- Working ----------------------------------------------------------------------------


def is_anything_due(now: datetime) -> bool:
    """Cheap enough to be asked every few seconds."""
    return _free_runs(now).exists()


def work_due(*, seconds: float = STINT) -> bool:
    """Work on the runs that wait; False when the time was over before the work was.

    A run that raises waits for a moment, and the others are worked on. What was raised is
    raised again at the end.
    """
    ends = monotonic() + seconds
    left: list[BulkRun] = []

    def work(claimed: BulkRun) -> None:
        if not _work(claimed, ends=ends):
            left.append(claimed)

    run_each(_claims(until=ends), work)
    return not left


def _claims(*, until: float) -> Iterator[BulkRun]:
    """Runs to work on, claimed one by one, while there is time; the first in any case."""
    while (claimed := _claim(timezone.now())) is not None:
        yield claimed
        if monotonic() > until:
            return


def _work(claimed: BulkRun, *, ends: float) -> bool:
    """Chunk after chunk of the run; False if time was over before."""
    try:
        while _advance(claimed):
            if monotonic() > ends:
                _give_back(claimed, leased_until=None, tries=0)
                return False
    except Exception:
        _give_back(claimed, leased_until=timezone.now() + PAUSE)
        raise
    return True


def _claim(now: datetime) -> BulkRun | None:
    """A run that nobody works on, oldest first, with a lease of ours."""
    while True:
        run = _free_runs(now).order_by("created_at").first()
        if run is None:
            return None
        lease = uuid.uuid4()
        mine = _free_runs(now).filter(pk=run.pk, lease=run.lease)
        if mine.update(lease=lease, leased_until=now + LEASE, tries=F("tries") + 1):
            run.lease = lease
            return run


def _free_runs(now: datetime) -> QuerySet[BulkRun]:
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    # Of what runs, `finished_at` is null: said in the index's own words, as SQLite needs it.
    return BulkRun.objects.filter(free, state=State.RUNNING, finished_at=None)


def _give_back(claimed: BulkRun, **changes: Any) -> None:
    BulkRun.objects.filter(pk=claimed.pk, lease=claimed.lease).update(**changes)


@transaction.atomic
def _advance(claimed: BulkRun) -> bool:
    """The next few steps, with what they do; False when there is nothing more for us to do."""
    ours = BulkRun.objects.filter(pk=claimed.pk, lease=claimed.lease, state=State.RUNNING)
    run = ours.select_for_update(of=("self",)).select_related("actor").first()
    if run is None:  # stopped, or somebody else's since the lease was over
        return False
    if not (run.actor.is_active and run.actor.may(permission_of(run))):
        return not _end(ours, State.STOPPED, reason=f"{run.actor.name} may no longer do this.")
    chunk = list(run.steps.filter(outcome=Outcome.WAITING).order_by("position")[:CHUNK])
    if not chunk:
        return not _end(ours, State.DONE)
    if run.tries > 1:  # whoever had it before us died at it, or was stopped by the queue
        run.singly_through = chunk[-1].position
    steps = chunk[:1] if chunk[0].position <= run.singly_through else chunk
    try:
        results = _results(run, steps)
    except CannotGoOn as problem:
        return not _end(ours, State.STOPPED, reason=str(problem))
    if results is None:
        run.singly_through = steps[-1].position
    else:
        _keep(steps, results)
    until = timezone.now() + LEASE
    ours.update(tries=1, leased_until=until, singly_through=run.singly_through)
    return True


def _results(run: BulkRun, steps: Sequence[BulkStep]) -> Mapping[int, Result] | None:
    """What becomes of each finding; None if they have to be done one by one."""
    pks = [step.finding_id for step in steps]
    if run.tries > MOST_TRIES:
        why = f"The worker was lost {MOST_TRIES} times while it did this; see the log."
        return {pks[0]: Result.failed(why)}
    try:
        with transaction.atomic(), part_of_recorded_act():
            return perform(run, pks)
    except (CannotGoOn, OperationalError):  # the run's trouble, or the database's
        raise
    except Exception as error:
        log.exception("A bulk run raised", run=str(run.pk), findings=len(pks), first=pks[0])
        if len(pks) > 1:
            return None
        return {pks[0]: Result.failed(f"It failed: {type(error).__name__}; see the log.")}


def _keep(steps: Sequence[BulkStep], results: Mapping[int, Result]) -> None:
    rows = [(step.pk, *results[step.finding_id]) for step in steps]
    writer().update(BulkStep, Result._fields, rows)


def _end(runs: QuerySet[BulkRun], state: str, *, reason: str = "") -> bool:
    running = runs.filter(state=State.RUNNING)
    run = running.first()
    now = timezone.now()
    ended = {"state": state, "reason": reason, "finished_at": now, "leased_until": None}
    with transaction.atomic():
        if run is None or not running.update(**ended):
            return False
        run.reason = reason
        start_hour(run.pk, ended_at=now)
        done = run.steps.filter(outcome=Outcome.DONE).count()
        _record(run, "ended" if state == State.DONE else "stopped", actor=None, count=done)
    return True
