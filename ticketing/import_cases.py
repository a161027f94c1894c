"""The tickets that rules made for what an import brought, and how far their delivery is."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet, Subquery

from findings.explorer.of_import import ImportPart, is_of_import
from findings.models import Finding, Import
from ticketing.models import Attachment, Case, ExternalIssue
from ticketing.states import WAITING, State


class Deliveries(NamedTuple):
    """Of tickets that a tracker gets, too."""

    all: int
    waiting: int  # on their way without anybody's help
    created: int
    last_at: datetime | None

    @property
    def need_person(self) -> int:
        return self.all - self.waiting - self.created


def is_of_an_import(import_id: UUID) -> Q:
    """Cases that a rule made since the import began, with findings that it brought."""
    brought = Finding.objects.filter(is_of_import(ImportPart("", import_id))).order_by()
    cases = Attachment.objects.filter(finding__in=brought.values("pk")).order_by().values("case")
    began = Import.objects.filter(pk=import_id).order_by().values("started_at")
    return Q(pk__in=cases, origin=Case.Origin.RULE, created_at__gte=Subquery(began))


def cases_of_import(run: Import) -> QuerySet[Case]:
    """As the list of cases shows them, which leaves out what is archived."""
    return Case.objects.filter(is_of_an_import(run.pk), archived_at=None).order_by()


def deliveries_of(cases: QuerySet[Case]) -> Deliveries:
    """One statement."""
    held = ExternalIssue.objects.filter(case__in=cases.values("pk"), detached_at=None)
    counts = held.exclude(state=State.CANCELLED).aggregate(
        all=Count("pk"),
        waiting=Count("pk", filter=Q(state__in=WAITING)),
        created=Count("pk", filter=Q(state=State.CREATED)),
        last_at=Max("delivered_at"),
    )
    return Deliveries(**counts)
