"""Reads of cases and projects for pages and the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case as Choice
from django.db.models import Count, Expression, Q, QuerySet, When

from config.lib.ui_tags import MAX_COUNTED
from findings.facts import OPEN_STATUSES
from ticketing.case_pages import UNDEFINED_LAST
from ticketing.models import (
    ASSIGNEES,
    Attachment,
    Case,
    CaseGroup,
    ExternalIssue,
    JiraAccount,
    JiraIssueTemplate,
    Project,
    TimelineEntry,
)
from ticketing.models.jira_users import shown_name

_BY_STATUS = Choice(*(When(status=s, then=n) for n, s in enumerate(Case.Status.values)), default=0)
API_SORTS: Mapping[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {  # descending, ascending
    "created_at": (("-created_at", "-number", "-id"), ("created_at", "number", "id")),
    "priority": (
        (UNDEFINED_LAST, "-priority", "-created_at", "-id"),
        (UNDEFINED_LAST, "priority", "-created_at", "-id"),
    ),
    "status": (
        (_BY_STATUS.desc(), "-created_at", "-id"),
        (_BY_STATUS.asc(), "-created_at", "-id"),
    ),
}


class ProjectRow(NamedTuple):
    project: Project
    open_cases: int
    cases: int
    unanswered: int  # tickets that Jira does not close without an answer


def case_by_key(key: str) -> Case | None:
    """The case under this key, or the one that had it before it moved to another project."""
    key = key.strip().upper().replace("\0", "")
    cases = Case.objects.select_related("project", *ASSIGNEES, "created_by")
    moved = TimelineEntry.objects.filter(kind=TimelineEntry.Kind.MOVED, before=key)
    return cases.filter(key=key).first() or cases.filter(pk__in=moved.values("case_id")).first()


def case_by_id(text: str) -> Case | None:
    """The case with this id, or under this key: clients send either."""
    try:
        pk = UUID(text)
    except ValueError:
        return case_by_key(text)
    return Case.objects.select_related("project", *ASSIGNEES, "created_by").filter(pk=pk).first()


GROUPS: Mapping[str, tuple[str | Expression, ...]] = {  # name → columns: one says it, or none
    "status": ("status",),
    "priority": ("priority",),
    "assignee": ("assignee_id", shown_name("jira_assignee__")),
    "project": ("project__key",),
    "origin": ("origin",),
}


def count_by(
    cases: QuerySet[Case], groups: Sequence[str], *, limit: int
) -> list[tuple[tuple[str, ...], int]]:
    """(values of these groups, how many), the most cases first; nobody is `none`.

    An assignee is the id of a person here, or the name of somebody in Jira.
    """
    columns = [column for name in groups for column in GROUPS[name]]
    counted = cases.order_by().values_list(*columns).annotate(number=Count("pk"))
    rows = counted.order_by("-number", *columns)[:limit]
    return [(_group_values(groups, iter(values)), number) for *values, number in rows]


def _group_values(groups: Sequence[str], values: Iterator[Any]) -> tuple[str, ...]:
    each = ([next(values) for _ in GROUPS[name]] for name in groups)
    return tuple(next((str(value) for value in found if value), "none") for found in each)


def open_case_count() -> int:
    """How many somebody still has to close; one more than MAX_COUNTED for any number beyond."""
    at_work = Case.objects.filter(archived_at=None).exclude(status=Case.Status.CLOSED)
    return at_work.order_by()[: MAX_COUNTED + 1].count()


def open_finding_count(cases: Sequence[Case]) -> int:
    """On these together."""
    return Attachment.objects.filter(case__in=cases, finding__status__in=OPEN_STATUSES).count()


def timeline(case: Case, *, kinds: Sequence[str] = ()) -> QuerySet[TimelineEntry]:
    """What happened to a case, newest first; of these kinds only, if any are named."""
    told = TimelineEntry.objects.filter(case=case).select_related("actor", "answerable")
    return told.filter(kind__in=kinds) if kinds else told


def project_rows() -> list[ProjectRow]:
    """Every project with its numbers of cases; archived ones count among all."""
    is_open = ~Q(status=Case.Status.CLOSED) & Q(archived_at=None)
    counted = (
        Case.objects.order_by()
        .values_list("project")
        .annotate(open_=Count("pk", filter=is_open), all_=Count("pk"))
    )
    counts = {project: (open_, all_) for project, open_, all_ in counted}
    waiting = ExternalIssue.objects.filter(detached_at=None).exclude(closing_field="").order_by()
    unanswered = dict(waiting.values_list("case__project").annotate(number=Count("pk")))
    linked = Project.objects.select_related("destination__account")
    return [
        ProjectRow(each, *counts.get(each.pk, (0, 0)), unanswered.get(each.pk, 0))
        for each in linked
    ]


# --- Jira, as the public API shows it -------------------------------------------------------


def connected_accounts() -> QuerySet[JiraAccount]:
    return JiraAccount.objects.filter(deleted_at=None, connected_at__isnull=False)


def issue_templates_of_all() -> QuerySet[JiraIssueTemplate]:
    return JiraIssueTemplate.objects.select_related("account")


def issue_template(template_id: UUID) -> JiraIssueTemplate:
    """Raises `JiraIssueTemplate.DoesNotExist`."""
    return issue_templates_of_all().get(pk=template_id)


def open_groups_of(rule_id: UUID) -> int:
    """How many open tickets of groups the rule has that take more findings."""
    groups = CaseGroup.objects.filter(rule_id=rule_id, takes_more=True, case__archived_at=None)
    return groups.exclude(case__status=Case.Status.CLOSED).count()
