"""One ticket for each group of a bulk run's findings.

Groups are those of the moment the run was asked for: its findings stand in the order of their
groups, and `said["starts"]` says at which positions a group begins. Which ticket a group has is
what the run's own steps say, which are written together with the ticket: however often a run is
killed and goes on, a group has one, and the next when that one is full, closed or archived.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import prefetch_related_objects

from config.accounts.models import User
from config.lib.links import absolute
from findings.explorer.group_labels import label_of
from findings.grouping import values_of
from findings.models import Finding
from ticketing import services
from ticketing.attachments import release
from ticketing.drafts import findings_draft, shorten
from ticketing.locking import Locked, lock
from ticketing.models import MAX_FINDINGS_OF_GROUP, Attachment, BulkRun, BulkStep, Case, Project
from ticketing.outbox import Promise

MAX_LISTED = 50


class Ticket(NamedTuple):
    """What each ticket of a run is made with."""

    project: Project
    assignee: User | None
    promise: Promise | None


class Group(NamedTuple):
    start: int
    end: int  # the position after its last
    pks: Sequence[int]  # those of the chunk


class Work(NamedTuple):
    run: BulkRun
    ticket: Ticket
    locked: Locked


def in_groups(found: Sequence[tuple[int, tuple[str, ...]]]) -> tuple[list[int], list[int]]:
    """Findings with their values, in the order of a search → in the order of their groups, and
    the positions (from 1) where a group begins. One that lacks a value is a group of its own."""
    groups: dict[object, list[int]] = {}
    for pk, values in found:
        groups.setdefault(values if all(values) else pk, []).append(pk)
    starts, position = [], 1
    for pks in groups.values():
        starts.append(position)
        position += len(pks)
    return [pk for pks in groups.values() for pk in pks], starts


def open_tickets(run: BulkRun, pks: Sequence[int], ticket: Ticket) -> dict[int, str | UUID]:
    """Each finding's ticket, or why it has got none, in the caller's transaction."""
    groups = _groups(run, pks)
    present = _present(run, groups)
    locked = lock(finding_pks=pks, case_pks=set(present.values()))
    prefetch_related_objects([*locked.findings.values()], "evaluation")
    work = Work(run, ticket, locked)
    held = {} if run.said["move"] else _held(pks)
    results: dict[int, str | UUID] = {pk: f"It has {key}." for pk, key in held.items()}
    for group in groups:
        free = [pk for pk in group.pks if pk not in held]
        case = locked.cases.get(present[group.start]) if group.start in present else None
        results |= _ticketed(work, group, free, case)
    return results


def _groups(run: BulkRun, pks: Sequence[int]) -> list[Group]:
    starts = run.said["starts"]
    members: dict[int, list[int]] = {}
    steps = run.steps.filter(finding__in=pks).order_by("position")
    for pk, position in steps.values_list("finding_id", "position"):
        members.setdefault(bisect_right(starts, position) - 1, []).append(pk)
    ends = [*starts[1:], run.steps.count() + 1]
    return [Group(starts[nth], ends[nth], of_group) for nth, of_group in members.items()]


def _present(run: BulkRun, groups: Sequence[Group]) -> dict[int, UUID]:
    """Start of a group → the last ticket that this run has made for it."""
    steps = run.steps.filter(position__gte=min(group.start for group in groups))
    steps = steps.filter(position__lt=max(group.end for group in groups)).exclude(case=None)
    starts = run.said["starts"]
    in_order = steps.order_by("case__created_at", "case__number")
    return {
        starts[bisect_right(starts, position) - 1]: case
        for position, case in in_order.values_list("position", "case_id")
        if case
    }


def _held(pks: Sequence[int]) -> dict[int, str]:
    held = Attachment.objects.filter(finding__in=pks)
    return dict(held.values_list("finding_id", "case__key"))


def _ticketed(
    work: Work, group: Group, pks: Sequence[int], case: Case | None
) -> dict[int, str | UUID]:
    """The first of them go to the group's ticket while there is room, the others to the next."""
    takes_more = case and not case.archived_at and case.status != Case.Status.CLOSED
    room = max(0, MAX_FINDINGS_OF_GROUP - case.attachments.count()) if case and takes_more else 0
    here, rest = pks[:room], pks[room:]
    results: dict[int, str | UUID] = {}
    if case and here:
        services.attach(case, here, actor=work.run.actor)
        results = dict.fromkeys(here, case.pk)
    if rest:
        results |= dict.fromkeys(rest, _open(work, group, rest, earlier=case).pk)
    return results


def _open(work: Work, group: Group, pks: Sequence[int], *, earlier: Case | None) -> Case:
    run, ticket, locked = work
    rows = release(pks, locked, actor=run.actor)
    title, description = _texts(run, group, rows, earlier) if _is_of_many(group) else ("", "")
    draft = services.manual_case(
        rows,
        project=ticket.project,
        actor=run.actor,
        assignee=ticket.assignee,
        origin=Case.Origin.MANUAL,
        title=title,
        description=description,
        promise=ticket.promise,
    )
    [case] = services.open_cases([draft])
    return case


def _is_of_many(group: Group) -> bool:
    return group.end - group.start > 1


def _texts(
    run: BulkRun, group: Group, rows: Sequence[Finding], earlier: Case | None
) -> tuple[str, str]:
    """Of all that the ticket is about to get: where a chunk ends within a group, the rest comes
    with the next one. Empty for one finding, which is told by itself."""
    waiting = run.steps.filter(
        position__gte=group.start, position__lt=group.end, outcome=BulkStep.Outcome.WAITING
    )
    elsewhere = Attachment.objects.filter(case=earlier) if run.said["move"] else Attachment.objects
    waiting = waiting.exclude(finding__in=elsewhere.values("finding"))
    number = min(max(waiting.count(), len(rows)), MAX_FINDINGS_OF_GROUP)
    if number == 1:
        return "", ""
    first = waiting.order_by("position").select_related("finding__evaluation")[:MAX_LISTED]
    told = [step.finding for step in first]
    names = run.said["per"]
    values = values_of(names, rows[0].facts) or ()
    title = label_of(names, values, rows[0]).title if values else rows[0].title
    return shorten(f"{title}: {number:,} findings"), _description(run, told, number, earlier)


def _description(run: BulkRun, told: Sequence[Finding], number: int, earlier: Case | None) -> str:
    ends = [
        f"And {number - len(told):,} more." if number > len(told) else "",
        f"It continues {earlier.key}." if earlier else "",
        f"Created by {run.actor.name}.",
    ]
    return findings_draft(
        [row.facts for row in told],
        urls=[absolute("findings:finding-show", row.finding_id) for row in told],
        made_by="\n\n".join(filter(None, ends)),
    ).description
