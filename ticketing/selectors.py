"""Reads of cases and projects for pages and the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case as Choice
from django.db.models import Count, Expression, F, Q, QuerySet, When
from django.db.models.lookups import Exact

from config.accounts.models import User
from config.lib.ui_tags import MAX_COUNTED
from findings.facts import OPEN_STATUSES
from findings.models import Finding
from ticketing.case_search import search_condition
from ticketing.issues import FAILED, Sync, issues_by_case, sync_of
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

ROWS = 50
CARDS = 25
"""How many of a column's cases the board shows; the list has them all."""
_UNDEFINED_LAST = Exact(F("priority"), Case.Priority.NOT_DEFINED)
SORTS: Mapping[str, tuple[str, tuple[Any, ...]]] = {
    "updated": ("Updated", ("-modified_at", "-number", "-id")),
    "created": ("Created", ("-created_at", "-number", "-id")),
    "priority": ("Priority", (_UNDEFINED_LAST, "priority", "-modified_at", "-id")),
    "key": ("Case", ("project__key", "-number")),
}
_BY_STATUS = Choice(*(When(status=s, then=n) for n, s in enumerate(Case.Status.values)), default=0)
API_SORTS: Mapping[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {  # descending, ascending
    "created_at": (("-created_at", "-id"), ("created_at", "id")),
    "priority": (
        (_UNDEFINED_LAST, "-priority", "-created_at", "-id"),
        (_UNDEFINED_LAST, "priority", "-created_at", "-id"),
    ),
    "status": (
        (_BY_STATUS.desc(), "-created_at", "-id"),
        (_BY_STATUS.asc(), "-created_at", "-id"),
    ),
}
VIEWS = ("", "mine", "failed", "archived")


class CaseRow(NamedTuple):
    case: Case
    findings: int
    issue: ExternalIssue | None

    @property
    def sync(self) -> Sync:
        return sync_of(self.issue)


class ProjectRow(NamedTuple):
    project: Project
    open_cases: int
    cases: int
    unanswered: int  # tickets that Jira does not close without an answer


@dataclass(frozen=True, slots=True)
class CasePage:
    rows: Sequence[CaseRow]
    number: int  # of the page, from 1
    counts: Mapping[str, int]  # of cases in each status, whatever status is asked for
    total: int

    @property
    def statuses(self) -> list[tuple[str, str, int]]:
        return [(*choice, self.counts[choice[0]]) for choice in Case.Status.choices]

    @property
    def any_status(self) -> int:
        return sum(self.counts.values())

    @property
    def shown(self) -> str:
        if not self.rows:
            return ""
        first = (self.number - 1) * ROWS + 1
        return f"{first:,}–{first + len(self.rows) - 1:,} of {self.total:,}"

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number * ROWS < self.total else None


class Column(NamedTuple):
    """The cases of one status on the board: as many as it shows, and how many there are."""

    status: str
    label: str
    rows: Sequence[CaseRow]
    total: int

    @property
    def others(self) -> list[tuple[str, str]]:
        """Where a card of this column can go."""
        return [choice for choice in Case.Status.choices if choice[0] != self.status]


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


def find_cases(
    text: str = "",
    *,
    me: User,
    view: str = "",
    project: str = "",
    status: str = "",
    sort: str = "updated",
    page: int = 1,
) -> CasePage:
    """One page of cases; raises BadTerm. The number of statements does not depend on the rows.

    `view` and `sort` are of VIEWS and SORTS, `project` is a key.
    """
    found = _found(text, me=me, view=view, project=project)
    counts = _status_counts(found)
    total = counts[status] if status else sum(counts.values())
    number = max(1, min(page, -(-total // ROWS)))
    wanted = found.filter(status=status) if status else found
    rows = _rows(wanted.order_by(*SORTS[sort][1])[(number - 1) * ROWS : number * ROWS])
    return CasePage(rows, number, counts, total)


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


def board_of(
    text: str = "", *, me: User, view: str = "", project: str = "", sort: str = "updated"
) -> list[Column]:
    """The same cases, a column for each status; raises BadTerm. Statements as few for any rows."""
    found = _found(text, me=me, view=view, project=project)
    counts = _status_counts(found)
    ordered = found.order_by(*SORTS[sort][1])
    shown = [list(ordered.filter(status=status)[:CARDS]) for status in Case.Status.values]
    # One statement each for what all the columns' cards carry.
    rows = iter(_rows([case for cases in shown for case in cases]))
    return [
        Column(*choice, [next(rows) for _ in cases], counts[choice[0]])
        for choice, cases in zip(Case.Status.choices, shown, strict=True)
    ]


def view_counts(me: User) -> dict[str, int]:
    """How many cases the views beside "All projects" hold."""
    return Case.objects.order_by().aggregate(
        mine=Count("pk", filter=_in_view("mine", me)),
        failed=Count("pk", filter=_in_view("failed", me)),
        archived=Count("pk", filter=_in_view("archived", me)),
        any=Count("pk"),
    )


def open_case_count() -> int:
    """How many somebody still has to close; one more than MAX_COUNTED for any number beyond."""
    at_work = Case.objects.filter(archived_at=None).exclude(status=Case.Status.CLOSED)
    return at_work.order_by()[: MAX_COUNTED + 1].count()


def linked_findings(case: Case) -> QuerySet[Finding]:
    """The findings attached to a case, the worst first, without their documents."""
    attached = Attachment.objects.filter(case=case)
    return (
        Finding.objects.filter(pk__in=attached.values("finding"))
        .only("finding_id", "title", "severity", "status", "resource_id", "resource_name")
        .order_by("-severity_rank", "title", "pk")
    )


def open_finding_count(case: Case) -> int:
    return Attachment.objects.filter(case=case, finding__status__in=OPEN_STATUSES).count()


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


# --- Searching ------------------------------------------------------------------------


def _in_view(view: str, me: User) -> Q:
    if view == "archived":
        return Q(archived_at__isnull=False)
    if view == "failed":
        failed = ExternalIssue.objects.filter(FAILED, detached_at=None).order_by()
        return Q(archived_at=None, pk__in=failed.values("case"))
    return Q(archived_at=None, assignee=me) if view == "mine" else Q(archived_at=None)


def _found(text: str, *, me: User, view: str, project: str) -> QuerySet[Case]:
    found = Case.objects.filter(_in_view(view, me), search_condition(text, me=me))
    if project:
        found = found.filter(project__key=project)
    return found.select_related(*ASSIGNEES).defer("description")


def _status_counts(found: QuerySet[Case]) -> dict[str, int]:
    each = {status: Count("pk", filter=Q(status=status)) for status in Case.Status.values}
    counts: dict[str, int] = found.order_by().aggregate(**each)
    return counts


def _rows(cases: Iterable[Case]) -> list[CaseRow]:
    shown = list(cases)
    counts = dict(
        Attachment.objects.filter(case__in=shown).values_list("case").annotate(Count("pk"))
    )
    issues = issues_by_case([case.pk for case in shown])
    return [CaseRow(case, counts.get(case.pk, 0), issues.get(case.pk)) for case in shown]


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
