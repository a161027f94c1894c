"""What an archived finding had of tickets: the case that it was on, which stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q

from config.accounts.models import User
from findings import services as findings
from findings.archive.parts import register
from findings.facts import GONE_STATUSES, Ticket
from findings.models import Finding
from ticketing.attachments import Subject, attach_rows, subject_of
from ticketing.mirror import issues_of, no_ticket_update
from ticketing.models import Attachment, BulkStep, Case, CaseGroup, ExternalIssue
from ticketing.states import State


class TicketPart:
    def staying(self, pks: Sequence[int]) -> set[int]:
        """Whose case is open, has others that are, or something to tell the tracker; and what a
        bulk run lists. Five statements."""
        stays = set(
            BulkStep.objects.filter(finding__in=pks).order_by().values_list("finding_id", flat=True)
        )
        case_of = dict(
            Attachment.objects.filter(finding__in=pks).values_list("finding_id", "case_id")
        )
        if not case_of:
            return stays
        busy = _busy(set(case_of.values()))
        return stays | {pk for pk, case in case_of.items() if case in busy}

    def dump(self, pks: Sequence[int]) -> Mapping[int, Any]:
        rows = Attachment.objects.filter(finding__in=pks).order_by()
        return {
            pk: msgspec.to_builtins({"case": case, "at": at, "by": by})
            for pk, case, at, by in rows.values_list(
                "finding_id", "case_id", "created_at", "created_by_id"
            )
        }

    def kept(self, finding: Finding, document: Any) -> Any:
        return document

    def forget(self, pks: Sequence[int]) -> None:
        """The case stays as it is: closed, and without changes that its issue should follow."""
        Attachment.objects.filter(finding__in=pks).delete()

    def restore(self, rows: Mapping[int, tuple[Finding, Any]]) -> None:
        """On the case as it is now; without a ticket where that is not in this database."""
        there = set(
            Attachment.objects.filter(finding__in=list(rows)).values_list("finding_id", flat=True)
        )
        said = {pk: value for pk, (_, value) in rows.items() if value and pk not in there}
        cases = Case.objects.in_bulk([UUID(value["case"]) for value in said.values()])
        back = {pk: value for pk, value in said.items() if UUID(value["case"]) in cases}
        if back:
            _attach(back, {pk: rows[pk][0] for pk in back}, cases)
        lost = [
            row
            for pk, (row, _) in rows.items()
            if pk not in back and pk not in there and Ticket(row.ticket).is_attached
        ]
        findings.store_tickets([no_ticket_update(row.pk, row.workflow) for row in lost])

    def complete(self, rows: Mapping[int, tuple[Finding, Any]]) -> None:
        """They came back on their case, and may have left it since."""


def _busy(cases: set[UUID]) -> set[UUID]:
    busy = set(
        Case.objects.filter(pk__in=cases)
        .exclude(status=Case.Status.CLOSED)
        .order_by()
        .values_list("pk", flat=True)
    )
    others = Attachment.objects.filter(case__in=cases).exclude(finding__status__in=GONE_STATUSES)
    busy.update(others.order_by().values_list("case_id", flat=True))
    settled = Q(state__in=[State.CREATED, State.CANCELLED], act_at=None, sync_due_at=None)
    issues = ExternalIssue.objects.filter(case__in=cases, detached_at=None).exclude(settled)
    busy.update(issues.order_by().values_list("case_id", flat=True))
    groups = CaseGroup.objects.filter(case__in=cases).filter(
        Q(is_to_reopen=True) | Q(refresh_since__isnull=False) | Q(added__gt=0)
    )
    busy.update(groups.order_by().values_list("case_id", flat=True))
    return busy


def _attach(
    said: Mapping[int, Any], rows: Mapping[int, Finding], cases: Mapping[UUID, Case]
) -> None:
    people = {value["by"] for value in said.values() if value["by"]}
    known = {str(pk) for pk in User.objects.filter(pk__in=people).values_list("pk", flat=True)}
    pairs: list[tuple[Case, Subject]] = []
    for pk, value in said.items():
        pairs.append((cases[UUID(value["case"])], subject_of(rows[pk])))
    attach_rows(
        pairs,
        issues=issues_of({case.pk for case, _ in pairs}),
        since={pk: datetime.fromisoformat(value["at"]) for pk, value in said.items()},
    )
    by_person: dict[str | None, list[int]] = {}
    for pk, value in said.items():
        by_person.setdefault(value["by"] if value["by"] in known else None, []).append(pk)
    for person, pks in by_person.items():
        Attachment.objects.filter(finding__in=pks).update(created_by=person)


register("ticket", TicketPart())
