"""When a case is due: on the earliest day of its open findings, unless a person said another.

A case without an open finding keeps the day it had: whether it was met can still be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

from django.db.models import F, Min, OuterRef, Q, Subquery

from config.accounts.access import Actor
from findings.facts import OPEN_STATUSES
from findings.models import Finding
from ticketing.due import mark_due
from ticketing.due_days import said
from ticketing.models import Attachment, Case
from ticketing.timeline import Kind, tell

REASON = "The earliest due date of its open findings."
HAS_MOVED = (
    Q(finding_due_at__lt=F("finding__due_at"))
    | Q(finding_due_at__gt=F("finding__due_at"))
    | Q(finding_due_at__isnull=True, finding__due_at__isnull=False)
    | Q(finding_due_at__isnull=False, finding__due_at__isnull=True)
)
"""Of an attachment: its finding is due on another day than when it was last followed."""


def remember(attachment_pks: Sequence[int]) -> None:
    """What these attachments' (locked) findings say now is followed."""
    due_at = Finding.objects.filter(pk=OuterRef("finding_id")).values("due_at")[:1]
    rows = Attachment.objects.filter(pk__in=attachment_pks)
    rows.update(finding_due_at=Subquery(due_at))


def follow(cases: Iterable[Case], *, now: datetime, actor: Actor = None) -> None:
    """Have these (locked) cases due when their findings are, but for those a person decided on.

    As few statements for any number. With an actor it was their doing.
    """
    found = of_cases(case for case in cases if not case.is_due_by_hand)
    moved = [(case, day) for case, day in found.items() if case.due_date != day]
    if not moved:
        return
    entries = [(case, Kind.DUE_DATE, said(case.due_date), said(day)) for case, day in moved]
    tell(entries, actor=actor, reason="" if actor else REASON, now=now)
    for case, day in moved:
        case.due_date, case.modified_at = day, now
    changed = [case for case, _ in moved]
    Case.objects.bulk_update(changed, ("due_date", "modified_at"))
    mark_due(changed)


def of_cases(cases: Iterable[Case]) -> dict[Case, date | None]:
    """The earliest day of each one's open findings; those without an open one are left out."""
    by_pk = {case.pk: case for case in cases}
    if not by_pk:
        return {}
    are_open = Attachment.objects.filter(case__in=by_pk, finding__status__in=OPEN_STATUSES)
    days: list[tuple[UUID, datetime | None]] = list(
        are_open.order_by().values_list("case").annotate(Min("finding__due_at"))
    )
    return {by_pk[pk]: at.astimezone(UTC).date() if at else None for pk, at in days}
