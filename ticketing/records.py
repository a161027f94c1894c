"""Cases with everything that is told of them elsewhere: their findings, issue, people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from config.accounts.models import User
from ticketing.issues import issues_by_case
from ticketing.models import Attachment, Case, ExternalIssue, TimelineEntry

_COMMENT = Q(kind=TimelineEntry.Kind.COMMENT, deleted_at=None)


class Record(NamedTuple):
    case: Case  # with project, assignee, created_by
    finding_ids: Sequence[str]  # public ones, in the order they were attached
    issue: ExternalIssue | None
    comments: int
    modified_by: User | None  # who changed it last, or answers for the key that did

    @property
    def people(self) -> list[User]:
        """Everybody named by it, once each."""
        named = (self.case.created_by, self.case.assignee, self.modified_by)
        return list({each.pk: each for each in named if each}.values())


def records(cases: QuerySet[Case], rows: slice = slice(None)) -> list[Record]:
    """A record for each of (these rows of) the cases, in their order; four statements."""
    whole = cases.select_related("project", "assignee", "created_by")
    found = list(whole.annotate(comments=_comments(), modifier_id=_modifier())[rows])
    pks = [case.pk for case in found]
    issues, findings = issues_by_case(pks), _findings(pks)
    modifiers = User.objects.in_bulk({case.modifier_id for case in found} - {None})
    return [
        Record(
            case,
            findings.get(case.pk, ()),
            issues.get(case.pk),
            case.comments,
            modifiers.get(case.modifier_id),
        )
        for case in found
    ]


def records_of(case_pks: Sequence[UUID]) -> list[Record]:
    """The records of these cases, in this order."""
    by_pk = {each.case.pk: each for each in records(Case.objects.filter(pk__in=case_pks))}
    return [by_pk[pk] for pk in case_pks]


def _comments() -> Coalesce:
    of_case = TimelineEntry.objects.filter(_COMMENT, case=OuterRef("pk")).order_by()
    return Coalesce(Subquery(of_case.values("case").annotate(n=Count("pk")).values("n")), 0)


def _modifier() -> Subquery:
    changes = TimelineEntry.objects.filter(case=OuterRef("pk"))
    changes = changes.exclude(kind=TimelineEntry.Kind.CREATED)
    newest = changes.order_by("-created_at", "-pk").annotate(who=Coalesce("actor", "answerable"))
    return Subquery(newest.values("who")[:1])


def _findings(case_pks: Collection[UUID]) -> dict[UUID, list[str]]:
    attached = Attachment.objects.filter(case__in=case_pks).order_by("pk")
    found: dict[UUID, list[str]] = {}
    for case, finding_id in attached.values_list("case_id", "finding__finding_id"):
        found.setdefault(case, []).append(finding_id)
    return found
