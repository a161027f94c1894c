"""Which findings are on which case. Everything here is a part of its caller's transaction, and
of findings that are locked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import timezone

from config.accounts.access import Actor, answerable
from config.lib.rows import writer
from findings import services as findings
from findings.facts import Status
from findings.models import Finding
from ticketing import due_dates, due_days
from ticketing.following import close_if_done
from ticketing.group_queue import mark_groups
from ticketing.locking import Locked
from ticketing.mirror import no_ticket_update, ticket_update
from ticketing.models import Attachment, Case, ExternalIssue
from ticketing.signals import findings_detached
from ticketing.timeline import Kind, tell


class Subject(NamedTuple):
    """A locked finding that a case is opened for."""

    pk: int
    workflow: dict[str, Any]
    is_open: bool = True


_ATTACHMENT = (
    "case_id",
    "finding_id",
    "finding_is_open",
    "finding_due_at",
    "created_at",
    "created_by_id",
)


def attach_rows(
    pairs: Sequence[tuple[Case, Subject]],
    *,
    issues: Mapping[UUID, ExternalIssue] = MappingProxyType({}),
    now: datetime | None = None,
    since: Mapping[int, datetime] = MappingProxyType({}),
    actor: Actor = None,
) -> None:
    """`issues`: case → the one it has in Jira; `since`: finding → when, if not now."""

    def attached_at(case: Case, subject: Subject) -> datetime:
        return since.get(subject.pk) or now or case.created_at

    if not pairs:
        return
    by = answerable(actor)
    writer().insert(
        Attachment,
        _ATTACHMENT,
        [
            (
                case.pk,
                subject.pk,
                subject.is_open,
                due_days.moment_of(subject.workflow),
                attached_at(case, subject),
                by.pk if by else case.created_by_id,
            )
            for case, subject in pairs
        ],
    )
    findings.store_tickets(
        [
            ticket_update(
                subject.pk,
                subject.workflow,
                case,
                issues.get(case.pk),
                attached_at=attached_at(case, subject),
            )
            for case, subject in pairs
        ]
    )


def subject_of(row: Finding) -> Subject:
    return Subject(row.pk, row.workflow, Status(row.status).is_open)


def release(
    finding_pks: Sequence[int], locked: Locked, *, actor: Actor, is_told: bool = True
) -> list[Finding]:
    """Take these findings off their cases; returns them, in the order asked, free.

    Unless `is_told`, the caller tells the timelines.
    """
    rows = [locked.findings[pk] for pk in dict.fromkeys(finding_pks) if pk in locked.findings]
    case_of = dict(Attachment.objects.filter(finding__in=rows).values_list("finding_id", "case_id"))
    attached = [row for row in rows if row.pk in case_of]
    if attached:
        now = timezone.now()
        Attachment.objects.filter(finding__in=attached).delete()
        left = {case_of[row.pk]: locked.cases[case_of[row.pk]] for row in attached}
        gone = [(left[case_of[row.pk]], Kind.DETACHED, row.title, "") for row in attached]
        tell(gone if is_told else (), actor=actor, now=now)
        updates = [no_ticket_update(row.pk, row.workflow) for row in attached]
        findings.store_tickets(updates)
        findings_detached.send(Attachment, finding_pks=[row.pk for row in attached])
        for row, update in zip(attached, updates, strict=True):
            row.workflow = update.workflow
        due_dates.follow(left.values(), now=now)
        mark_groups(left.values(), now=now)
        close_if_done(list(left.values()), now=now)
    return rows
