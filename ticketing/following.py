"""Cases close and re-open with their findings; the finding is the source of truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from config.lib.deadline import Deadline
from config.lib.isolation import run_batch, run_each
from config.lib.tasks import enqueue
from findings.facts import OPEN_STATUSES
from findings.selectors import opened_by_people
from ticketing import due_dates, flapping
from ticketing.close_reasons import CloseReason, reason_of_findings
from ticketing.due import mark_due
from ticketing.group_queue import mark_groups
from ticketing.locking import lock, portion
from ticketing.mirror import mirror
from ticketing.models import Attachment, Case
from ticketing.timeline import Kind, tell

CHUNK = 500  # cases in a transaction, or fewer with many findings
SECONDS_A_RING = 10.0  # then others have their turn, also where there is one worker
STATUS_COLUMNS = (
    *("status", "closed_at", "close_reason", "stays_closed"),
    *("reopenings", "held_open_until", "modified_at"),
)
"""What changes with the status of a case."""


def follow_findings(*, seconds: float = SECONDS_A_RING) -> int:
    """Close and re-open cases by what became of their findings; returns how many changed.

    Works on edges, not levels: each attachment remembers whether its finding was open, and when
    it was due, when it was last followed, so a person's own closing or re-opening is not undone,
    and running this twice, late or at once with another worker changes nothing. Each chunk of
    cases is a transaction; what there was no time for is rung for again.
    """
    deadline = Deadline(seconds)
    changed: list[int] = []
    if held := list(_held_long_enough(timezone.now())[:CHUNK]):
        run_batch(portion(held), lambda some: changed.append(_let_go(some)))
    run_each(
        _chunks(deadline),
        lambda cases: run_batch(cases, lambda some: changed.append(_follow(some))),
    )
    if deadline.is_over and _edges().exists():
        enqueue("ticketing.tasks.follow")
    return sum(changed)


def _chunks(deadline: Deadline) -> Iterator[Sequence[UUID]]:
    """Cases with findings that opened, closed or are due on another day, by their ids; the first
    chunk in any case."""
    cases = _edges().order_by("case_id").values_list("case_id", flat=True).distinct()
    chunk = list(cases[:CHUNK])
    while chunk:
        yield (some := portion(chunk))
        is_last = len(some) == len(chunk) < CHUNK
        there_is_more = not (is_last or deadline.is_over)
        chunk = list(cases.filter(case_id__gt=some[-1])[:CHUNK]) if there_is_more else []


def _edges() -> QuerySet[Any]:  # annotated
    now = Attachment.objects.annotate(is_open=Q(finding__status__in=OPEN_STATUSES))
    return now.filter(~Q(finding_is_open=F("is_open")) | due_dates.HAS_MOVED)


def _held_long_enough(now: datetime) -> QuerySet[Case, UUID]:
    held = Case.objects.filter(held_open_until__lte=now).order_by("held_open_until")
    return held.values_list("pk", flat=True)


@transaction.atomic
def _let_go(case_pks: Sequence[UUID]) -> int:
    """The brake on these cases has ended: what is fixed is closed as usual."""
    now = timezone.now()
    held = lock(case_pks=case_pks).cases.values()
    free = [case for case in held if case.held_open_until and case.held_open_until <= now]
    for case in free:
        flapping.forget(case)
    Case.objects.bulk_update(free, ("reopenings", "held_open_until"))
    return close_if_done(free, now=now)


@transaction.atomic
def _follow(case_pks: Sequence[UUID]) -> int:
    cases = lock(case_pks=case_pks).cases
    edges = _edges().filter(case__in=cases)
    rows = list(edges.values_list("pk", "case_id", "finding_id", "finding_is_open", "is_open"))
    for is_open in (True, False):
        turned = [pk for pk, *_, was_so, is_so in rows if was_so is not is_so is is_open]
        Attachment.objects.filter(pk__in=turned).update(finding_is_open=is_open)
    due_dates.remember([pk for pk, *_ in rows])
    now = timezone.now()
    touched = [cases[pk] for pk in {case_pk for _, case_pk, *_ in rows}]
    due_dates.follow(touched, now=now)
    mark_groups(touched, now=now)
    woken, quiet = defaultdict[UUID, set[int]](set), set[UUID]()
    for _, case_pk, finding_pk, was_open, is_open in rows:
        if was_open is is_open:
            continue
        if is_open:
            woken[case_pk].add(finding_pk)
        else:
            quiet.add(case_pk)
    reopened = _wake({cases[pk]: findings for pk, findings in woken.items()}, now=now)
    return reopened + _rest([cases[pk] for pk in quiet], now=now)


def _wake(findings_of: Mapping[Case, set[int]], *, now: datetime) -> int:
    """Open those of these cases that are closed: case → its findings that opened."""
    by_people = opened_by_people([pk for pks in findings_of.values() for pk in pks])
    persons = [case for case, findings in findings_of.items() if findings & by_people]
    by_themselves = [case for case, findings in findings_of.items() if not findings & by_people]
    return reopen(
        persons, reason="A person opened a finding again.", now=now
    ) + _reopen_with_findings(by_themselves, now=now)


def _rest(cases: Sequence[Case], *, now: datetime) -> int:
    """Close those of these cases whose findings are all gone, but for those that flap."""
    flap = [case for case in cases if flapping.is_flapping(case, now=now)]
    flapping.hold_open(list(_done(flap)), now=now)
    return close_if_done([case for case in cases if case not in flap], now=now)


def _reopen_with_findings(cases: Sequence[Case], *, now: datetime) -> int:
    """By a report, or the end of a mute: what a person decided against fixing stays closed,
    unless its project wants otherwise."""
    asked = [case for case in cases if not case.stays_closed or case.project.reopens_wont_fix]
    for case in _to_reopen(asked):
        flapping.note_reopening(case, now=now)
    return reopen(asked, reason="A finding opened again.", now=now)


def reopen(cases: Sequence[Case], *, reason: str, now: datetime) -> int:
    """Open those (locked) cases that are closed, where their project wants it."""
    closed = _to_reopen(cases)
    _turn(closed, to=Case.Status.OPEN, reason=reason, now=now)
    return len(closed)


def reopen_for_new(cases: Sequence[Case], *, now: datetime) -> None:
    """Open those (locked) cases that are closed and were joined by an open finding since.

    Their rule wants it so, whatever their project does when findings come back.
    """
    closed = {case.pk: case for case in cases if case.status == Case.Status.CLOSED}
    newer = Attachment.objects.filter(
        case__in=closed, created_at__gt=F("case__closed_at"), finding__status__in=OPEN_STATUSES
    )
    joined = set(newer.order_by().values_list("case_id", flat=True))
    reason = "A finding joined its group."
    _turn(
        [closed[pk] for pk in closed if pk in joined], to=Case.Status.OPEN, reason=reason, now=now
    )


def put_back_status(case: Case, *, to: str, now: datetime) -> None:
    """Of a (locked) case, as it was before an act that is undone; nothing if it is so."""
    if case.status != to:
        _turn([case], to=Case.Status(to), reason="Undo", now=now)


def _to_reopen(cases: Sequence[Case]) -> list[Case]:
    return [
        case
        for case in cases
        if case.status == Case.Status.CLOSED and case.project.reopens_with_findings
    ]


def close_if_done(cases: Sequence[Case], *, now: datetime) -> int:
    """Close those (locked) cases that no open finding is attached to any more."""
    reasons = _done(cases)
    _turn(
        list(reasons),
        to=Case.Status.CLOSED,
        reason="No open finding is left on it.",
        now=now,
        reasons=reasons,
    )
    return len(reasons)


def _done(cases: Sequence[Case]) -> dict[Case, CloseReason]:
    """Those of these cases that are to be closed, and why. One statement."""
    found = findings_of(cases)
    return {
        case: reason_of_findings(found[case.pk])
        for case in cases
        if case.project.closes_with_findings
        and case.status != Case.Status.CLOSED
        and not any(status in OPEN_STATUSES for status, _ in found[case.pk])
    }


def findings_of(cases: Sequence[Case]) -> Mapping[UUID, Collection[tuple[str, str | None]]]:
    """Case → (status, reason of the mute) of its findings, each pair once."""
    found = defaultdict[UUID, set[tuple[str, str | None]]](set)
    if cases:
        attached = Attachment.objects.filter(case__in=cases).order_by()
        columns = ("case", "finding__status", "finding__workflow__mute__reason")
        for case, status, reason in attached.values_list(*columns).distinct():
            found[case].add((status, reason))
    return found


def detach_note(case: Case) -> str:
    """What becomes of a ticket when a finding is detached from it, for those about to do it."""
    kept = "The ticket is not deleted."
    if not case.project.closes_with_findings:
        return kept
    return f"{kept} Without an open finding it is closed."


def set_status(case: Case, status: str, *, now: datetime) -> None:
    is_closed = status == Case.Status.CLOSED
    case.status = status
    case.closed_at = now if is_closed else None
    case.modified_at = now
    case.close_reason, case.stays_closed = "", False
    if is_closed:
        case.held_open_until = None


def close_by_hand(cases: Sequence[Case], reason: CloseReason | None) -> None:
    """After `set_status`: a person closed them, here or in Jira, and said why or did not."""
    found = findings_of(cases) if reason is None else {}
    for case in cases:
        flapping.forget(case)
        case.stays_closed = reason is not None and reason.is_wont_fix
        case.close_reason = reason or _likely_reason(found[case.pk])


def _likely_reason(found: Collection[tuple[str, str | None]]) -> CloseReason:
    is_open = not found or any(status in OPEN_STATUSES for status, _ in found)
    return CloseReason.FIXED if is_open else reason_of_findings(found)


def _turn(
    cases: Sequence[Case],
    *,
    to: Case.Status,
    reason: str,
    now: datetime,
    reasons: Mapping[Case, CloseReason] = MappingProxyType({}),
) -> None:
    if not cases:
        return
    tell([(case, Kind.STATUS, case.status, to) for case in cases], reason=reason, now=now)
    for case in cases:
        set_status(case, to, now=now)
        case.close_reason = reasons.get(case, "")
    Case.objects.bulk_update(cases, STATUS_COLUMNS)
    mirror(cases)
    mark_due(cases)
