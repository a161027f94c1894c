"""What a bulk run does to a few findings, in its caller's transaction.

Each deed answers for every finding it is given: done, left as it was, or failed, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from config.accounts.models import User
from findings import overrides
from findings import services as findings
from findings.facts import Severity, Status
from ticketing import bulk_groups, services
from ticketing.allowed_spaces import SpaceClosed
from ticketing.attaching import promise_by_hand
from ticketing.locking import lock
from ticketing.models import Attachment, BulkRun, BulkStep, Case, Destination, Project
from ticketing.outbox import Promise

Outcome = BulkStep.Outcome


class CannotGoOn(Exception):
    """The rest of the run would fail the same way; `str(error)` says why."""


class Result(NamedTuple):
    """What became of a finding, as columns of its step."""

    outcome: str
    reason: str = ""
    case_id: UUID | None = None
    before: str | None = None  # JSON
    after: str | None = None

    @classmethod
    def failed(cls, reason: str) -> Self:
        return cls(Outcome.FAILED, reason)


DONE = Result(Outcome.DONE)
GONE = Result(Outcome.SKIPPED, "It is resolved.")
Results = Mapping[int, Result]


def open_tickets(run: BulkRun, pks: Sequence[int]) -> Results:
    """A ticket for each finding, or for each group of them; those that have one keep it, unless
    asked to move."""
    project = Project.objects.filter(pk=run.said["project"]).first()
    if project is None:
        raise CannotGoOn("The project no longer exists.")
    assignee = _person(run.said["assignee"])
    try:
        promise = _promise(run, project, assignee)
        if run.said.get("per"):
            return _of_groups(run, pks, bulk_groups.Ticket(project, assignee, promise))
        return _of_each(run, pks, bulk_groups.Ticket(project, assignee, promise))
    except Destination.DoesNotExist as error:
        raise CannotGoOn(f"{project.key} is no longer linked to Jira.") from error
    except SpaceClosed as closed:
        raise CannotGoOn(str(closed)) from closed


def _promise(run: BulkRun, project: Project, assignee: User | None) -> Promise | None:
    if not run.said["in_jira"]:
        return None
    return promise_by_hand(_place(project), assignee=assignee, fields=run.said["fields"])


def _of_groups(run: BulkRun, pks: Sequence[int], ticket: bulk_groups.Ticket) -> Results:
    return {
        pk: Result(Outcome.SKIPPED, found)
        if isinstance(found, str)
        else Result(Outcome.DONE, "", found)
        for pk, found in bulk_groups.open_tickets(run, pks, ticket).items()
    }


def _of_each(run: BulkRun, pks: Sequence[int], ticket: bulk_groups.Ticket) -> Results:
    free, results = _free(run, pks)
    services.open_case_each(free, **ticket._asdict(), actor=run.actor)
    made = dict(Attachment.objects.filter(finding__in=free).values_list("finding_id", "case_id"))
    return results | {pk: Result(Outcome.DONE, "", case_id) for pk, case_id in made.items()}


def attach(run: BulkRun, pks: Sequence[int]) -> Results:
    case = Case.objects.filter(pk=run.said["case"]).first()
    if case is None or case.archived_at:
        raise CannotGoOn(f"{run.said['key']} is archived." if case else "The ticket is gone.")
    free, results = _free(run, pks, case=case)
    services.attach(case, free, actor=run.actor)
    return results | {pk: Result(Outcome.DONE, "", case.pk) for pk in free}


def mute(run: BulkRun, pks: Sequence[int]) -> Results:
    until = run.said["until"]
    gone = {row.pk for row in findings.lock(pks) if Status(row.status).is_gone}
    findings.mute(
        [pk for pk in pks if pk not in gone],
        reason=run.said["reason"],
        description=run.said["description"],
        until=datetime.fromisoformat(until) if until else None,
        actor=run.actor,
    )
    return {pk: GONE if pk in gone else DONE for pk in pks}


def assign(run: BulkRun, pks: Sequence[int]) -> Results:
    findings.assign(pks, assignee=_person(run.said["assignee"]), actor=run.actor)
    return dict.fromkeys(pks, DONE)


def change_status(run: BulkRun, pks: Sequence[int]) -> Results:
    findings.change_status(pks, status=Status(run.said["status"]), actor=run.actor)
    return dict.fromkeys(pks, DONE)


def change_severity(run: BulkRun, pks: Sequence[int]) -> Results:
    severity = run.said["severity"]
    overrides.change_severity(
        pks,
        severity=Severity(severity) if severity else None,
        description=run.said["description"],
        actor=run.actor,
    )
    return dict.fromkeys(pks, DONE)


DEEDS: Mapping[str, Callable[[BulkRun, Sequence[int]], Results]] = {
    BulkRun.Deed.TICKETS: open_tickets,
    BulkRun.Deed.ATTACH: attach,
    BulkRun.Deed.MUTE: mute,
    BulkRun.Deed.ASSIGN: assign,
    BulkRun.Deed.STATUS: change_status,
    BulkRun.Deed.SEVERITY: change_severity,
}


def _free(
    run: BulkRun, pks: Sequence[int], *, case: Case | None = None
) -> tuple[list[int], dict[int, Result]]:
    """Those that may come to a (or the) ticket, locked, and why the others may not."""
    lock(finding_pks=pks, case_pks=[case.pk] if case else [])
    if run.said["move"]:
        return list(pks), {}
    held = dict(
        Attachment.objects.filter(finding__in=pks)
        .exclude(case=case)
        .values_list("finding_id", "case__key")
    )
    skipped = {pk: Result(Outcome.SKIPPED, f"It has {key}.") for pk, key in held.items()}
    return [pk for pk in pks if pk not in held], skipped


def _place(project: Project) -> Destination:
    place = Destination.objects.filter(project=project).select_related("account").first()
    if place is None:
        raise CannotGoOn(f"{project.key} is no longer linked to Jira.")
    return place


def _person(pk: str | None) -> User | None:
    if not pk:
        return None
    person = User.objects.filter(pk=pk, is_active=True).first()
    if person is None:
        raise CannotGoOn("The assignee does not exist or is deactivated.")
    return person
