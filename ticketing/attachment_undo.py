"""Findings that a person attached, detached or split off go back to where they were.

Of each finding it is kept which case it was on, since when and by whom, and in which state that
case was; and the same after the act. What is on another case by now stays there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.accounts.audit.events import record_event
from config.accounts.models import Act, User
from config.accounts.roles import Permission
from config.accounts.undo.acts import Recording, changes_between, record_act
from config.accounts.undo.registry import Change, Later, Outcome, register
from config.lib.rows import rewrite
from findings import undo as findings
from findings.models import Finding
from ticketing import due_dates
from ticketing.attachments import attach_rows, release, subject_of
from ticketing.following import put_back_status
from ticketing.group_queue import mark_groups
from ticketing.group_text import number
from ticketing.locking import Locked, lock
from ticketing.mirror import issues_of
from ticketing.models import MAX_FINDINGS_OF_GROUP, Attachment, Case, CaseGroup, TimelineEntry
from ticketing.timeline import Kind, tell

ATTACH, DETACH, SPLIT = "ticket.attach", "ticket.detach", "ticket.split"
Snapshot = Mapping[str, Any]
_REASON = "Undo"


def snapshots(pks: Collection[int], *, case_pks: Collection[UUID] = ()) -> dict[str, Snapshot]:
    """Primary key → where these findings are; they, and the cases, stay locked."""
    locked = lock(finding_pks=pks, case_pks=case_pks)
    attached = Attachment.objects.filter(finding__in=pks).select_related("case__group")
    found = {each.finding_id: each for each in attached}
    return {str(pk): _snapshot(found.get(pk)) for pk in pks if pk in locked.findings}


def _snapshot(attachment: Attachment | None) -> Snapshot:
    if attachment is None:
        return {"case": None, "since": None}
    case = attachment.case
    group = getattr(case, "group", None)
    return {
        "case": str(case.pk),
        "key": case.key,
        "since": attachment.created_at.isoformat(),
        "by": str(attachment.created_by_id) if attachment.created_by_id else None,
        "status": case.status,
        "takes_more": bool(group and group.takes_more),
    }


def changes_of(
    before: Mapping[str, Snapshot], after: Mapping[str, Snapshot], *, arrived: Mapping[str, str]
) -> list[Change]:
    """What an act did, with the state in which it left the cases that findings are gone from.

    `arrived`: case → the status that it had before findings came to it.
    """
    changes = changes_between(before, after)
    left = Case.objects.filter(pk__in={each.before["case"] for each in changes} - {None})
    closed = {str(case.pk): _closed_at(case) for case in left}
    return [
        each._replace(
            after={
                **each.after,
                "left_closed_at": closed.get(each.before["case"]),
                "case_was": arrived.get(each.after["case"]),
            }
        )
        for each in changes
    ]


@contextmanager
def recorded(
    kind: str, pks: Collection[int], *, actor: User, case: Case | None = None
) -> Iterator[Recording]:
    """Keep what is done within, so that it can be undone. `case` is where findings come to."""
    recording = Recording()
    with transaction.atomic():
        before = snapshots(pks, case_pks=[case.pk] if case else [])
        arrived = {str(pk): status for pk, status in _statuses([case.pk] if case else [])}
        yield recording
        if changes := changes_of(before, snapshots(pks), arrived=arrived):
            recording.act = record_act(kind, changes, actor=actor)


def _statuses(case_pks: Sequence[UUID]) -> list[tuple[UUID, str]]:
    return list(Case.objects.filter(pk__in=case_pks).values_list("pk", "status"))


def restore(changes: Sequence[Change], *, actor: User) -> dict[str, Later]:
    """Move these findings back, in the caller's transaction; what stays where it is, and why."""
    pks = [int(change.object_id) for change in changes]
    wanted = {UUID(change.before["case"]) for change in changes if change.before["case"]}
    locked = lock(finding_pks=pks, case_pks=wanted)
    left = _moved_since(changes) | _gone(changes, locked)
    there = [change for change in changes if change.object_id not in left]
    left |= _refused(there, locked)
    back = [change for change in there if change.object_id not in left]
    if back:
        _move_back(back, locked, actor=actor)
    return left


def _gone(changes: Sequence[Change], locked: Locked) -> dict[str, Later]:
    return {
        change.object_id: Later("The finding was deleted since.")
        for change in changes
        if int(change.object_id) not in locked.findings
    }


def _moved_since(changes: Sequence[Change]) -> dict[str, Later]:
    """Those that are not where the act left them, and who moved them."""
    attached = Attachment.objects.filter(finding__in=[int(c.object_id) for c in changes])
    found = {str(each.finding_id): each for each in attached.select_related("case", "created_by")}
    moved = [c for c in changes if not _is_as_left(c, found.get(c.object_id))]
    detached_from = [c.after["case"] for c in moved if c.object_id not in found]
    told = TimelineEntry.objects.filter(case__in=detached_from, kind=Kind.DETACHED)
    last = {str(e.case_id): e for e in told.select_related("actor").order_by("pk")}
    return {
        c.object_id: _attached(found[c.object_id])
        if c.object_id in found
        else _detached(last.get(c.after["case"]))
        for c in moved
    }


def _is_as_left(change: Change, attachment: Attachment | None) -> bool:
    now = _snapshot(attachment)
    return (now["case"], now["since"]) == (change.after["case"], change.after["since"])


def _attached(attachment: Attachment) -> Later:
    case = attachment.case
    by_rule = f"Rule {case.rule_name}" if case.rule_id else "The system"
    who = attachment.created_by.name if attachment.created_by else by_rule
    return Later(f"attached it to {case.key}", who, attachment.created_at)


def _detached(entry: TimelineEntry | None) -> Later:
    if entry is None or entry.actor is None:
        return Later("It was detached since.")
    return Later("detached it", entry.actor.name, entry.created_at)


def _refused(changes: Sequence[Change], locked: Locked) -> dict[str, Later]:
    """Those whose case takes them no more."""
    of_case = defaultdict[str, list[Change]](list)
    for change in changes:
        if change.before["case"]:
            of_case[change.before["case"]].append(change)
    left: dict[str, Later] = {}
    for pk, coming in of_case.items():
        case = locked.cases.get(UUID(pk))
        if why := _why_refused(case, coming):
            left |= {change.object_id: Later(why) for change in coming}
    return left


def _why_refused(case: Case | None, coming: Sequence[Change]) -> str:
    if case is None:
        return f"{coming[0].before['key']} was deleted since."
    if case.archived_at:
        return f"{case.key} is archived."
    if case.status == Case.Status.CLOSED and not all(_may_reopen(case, each) for each in coming):
        return f"{case.key} is closed."
    if case.attachments.count() + len(coming) > MAX_FINDINGS_OF_GROUP:
        return f"{case.key} is full: it has {MAX_FINDINGS_OF_GROUP:,} findings."
    return ""


def _may_reopen(case: Case, change: Change) -> bool:
    """It was closed before, or the act itself closed it, as its last open finding left."""
    was_closed = bool(change.before["status"] == Case.Status.CLOSED)
    return was_closed or _closed_at(case) == change.after["left_closed_at"]


def _closed_at(case: Case) -> str | None:
    return case.closed_at.isoformat() if case.closed_at else None


def _move_back(changes: Sequence[Change], locked: Locked, *, actor: User) -> None:
    now = timezone.now()
    closed = {pk for pk, case in locked.cases.items() if case.status == Case.Status.CLOSED}
    rows = release([int(c.object_id) for c in changes], locked, actor=actor, is_told=False)
    _tell_left(changes, locked, actor=actor, now=now)
    coming = [(c, row) for c, row in zip(changes, rows, strict=True) if c.before["case"]]
    _attach_as_before(coming, locked, actor=actor, now=now)
    # The act closed one with its last finding, or only this closes one that was open without any.
    statuses = {c.before["case"]: c.before["status"] for c, _ in coming}
    was = {pk: status for pk, status in statuses.items() if UUID(pk) in closed}
    was |= {
        c.after["case"]: c.after["case_was"]
        for c in changes
        if c.after["case_was"] and UUID(c.after["case"]) not in closed
    }
    for pk, status in was.items():
        case = locked.cases[UUID(pk)]
        if case.status == Case.Status.CLOSED:
            put_back_status(case, to=status, now=now)
    touched = [locked.cases[UUID(c.before["case"])] for c, _ in coming]
    due_dates.follow(touched, now=now)
    mark_groups(touched, now=now)


def _tell_left(changes: Sequence[Change], locked: Locked, *, actor: User, now: datetime) -> None:
    gone = [
        (locked.cases[UUID(c.after["case"])], Kind.DETACHED, _title(c, locked), "")
        for c in changes
        if c.after["case"]
    ]
    tell(gone, actor=actor, now=now, reason=_REASON)


def _title(change: Change, locked: Locked) -> str:
    return locked.findings[int(change.object_id)].title


def _attach_as_before(
    coming: Sequence[tuple[Change, Finding]], locked: Locked, *, actor: User, now: datetime
) -> None:
    """With the time and the person, or the rule, of then."""
    if not coming:
        return
    cases = {c.before["case"]: locked.cases[UUID(c.before["case"])] for c, _ in coming}
    issues = issues_of([case.pk for case in cases.values()])
    pairs = [(cases[c.before["case"]], subject_of(row)) for c, row in coming]
    was = {row.pk: c.before for c, row in coming}
    since = {pk: datetime.fromisoformat(before["since"]) for pk, before in was.items()}
    attach_rows(pairs, issues=issues, since=since, actor=actor)
    attached = list(Attachment.objects.filter(finding__in=was))
    for each in attached:
        by = was[each.finding_id]["by"]
        each.created_by_id = UUID(by) if by else None
    rewrite(attached, "created_by")
    told = [(cases[c.before["case"]], Kind.ATTACHED, "", row.title) for c, row in coming]
    tell(told, actor=actor, now=now, reason=_REASON)
    for pk in {c.before["case"] for c, _ in coming if c.before["takes_more"]}:
        _take_more_again(UUID(pk))


def _take_more_again(case_pk: UUID) -> None:
    """As the group's ticket, if it has no other by now."""
    try:
        with transaction.atomic():
            CaseGroup.objects.filter(case=case_pk, takes_more=False).update(takes_more=True)
    except IntegrityError:  # one of a rule and key takes more: the constraint says which
        return


def outcome_of(kind: str, changes: Sequence[Change], left: Mapping[str, Later]) -> Outcome:
    back = [change for change in changes if change.object_id not in left]
    keys = sorted({change.before["key"] for change in back if change.before["case"]})
    words = number(len(back), "finding")
    if kind == DETACH and len(keys) == 1:
        what = "Attached" if len(back) == 1 else f"{words} attached"
        return Outcome(f"{what} to {keys[0]} again", _added_by(back[0]), left)
    title = "Split undone" if kind == SPLIT else "Attachment undone"
    if not keys:
        text = "The finding has" if len(back) == 1 else f"{words} have"
        return Outcome(title, f"{text} no ticket, as before.", left)
    is_in = "The finding is" if len(back) == 1 else f"{words} are"
    return Outcome(title, f"{is_in} in {', '.join(keys[:3])} again, as before.", left)


def _added_by(change: Change) -> str:
    if by := change.before["by"]:
        person = User.objects.filter(pk=by).first()
        return f"Added by {person.name}, as before." if person else ""
    case = Case.objects.filter(pk=change.before["case"], rule_id__isnull=False).first()
    return f"Added by rule {case.rule_name}, as before." if case else ""


@dataclass(frozen=True, slots=True)
class _Reverse:
    kind: str
    permission: Permission = Permission.CASES_WRITE

    def restore(self, act: Act, changes: Sequence[Change], *, actor: User) -> Outcome:
        left = restore(changes, actor=actor)
        if count := len(changes) - len(left):
            details = {"what": self.kind, "findings": [c.object_id for c in changes[:20]]}
            record_event("finding", "undone", actor=actor, count=count, details=details)
        return outcome_of(self.kind, changes, left)

    def links_to(self, object_ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        return findings.links_to(object_ids)


for _kind in (ATTACH, DETACH, SPLIT):
    register(_kind, _Reverse(_kind))
