"""Reads of cases and projects for pages and the API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case as Choice
from django.db.models import Count, F, Q, QuerySet, When
from django.db.models.lookups import Exact

from config.accounts.models import User
from findings.facts import OPEN_STATUSES
from findings.models import Finding
from ticketing.issues import FAILED, Sync, issues_by_case, sync_of
from ticketing.models import (
    Attachment,
    Case,
    ExternalIssue,
    JiraAccount,
    JiraIssueTemplate,
    Project,
    TimelineEntry,
)

ROWS = 50
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


class BadTerm(ValueError):
    """A term of a search names a value that its field does not have."""


def case_by_key(key: str) -> Case | None:
    """The case under this key, or the one that had it before it moved to another project."""
    key = key.strip().upper().replace("\0", "")
    cases = Case.objects.select_related("project", "assignee", "created_by")
    moved = TimelineEntry.objects.filter(kind=TimelineEntry.Kind.MOVED, before=key)
    return cases.filter(key=key).first() or cases.filter(pk__in=moved.values("case_id")).first()


def case_by_id(text: str) -> Case | None:
    """The case with this id, or under this key: clients send either."""
    try:
        pk = UUID(text)
    except ValueError:
        return case_by_key(text)
    return Case.objects.select_related("project", "assignee", "created_by").filter(pk=pk).first()


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
    found = Case.objects.filter(_in_view(view, me), search_condition(text, me=me))
    if project:
        found = found.filter(project__key=project)
    statuses = {each: Count("pk", filter=Q(status=each)) for each in Case.Status.values}
    counts: dict[str, int] = found.order_by().aggregate(**statuses)
    total = counts[status] if status else sum(counts.values())
    number = max(1, min(page, -(-total // ROWS)))
    wanted = found.filter(status=status) if status else found
    rows = _rows(wanted.order_by(*SORTS[sort][1]), number)
    return CasePage(rows, number, counts, total)


GROUPS: Mapping[str, str] = {  # name → column
    "status": "status",
    "priority": "priority",
    "assignee": "assignee_id",
    "project": "project__key",
    "origin": "origin",
}


def count_by(
    cases: QuerySet[Case], groups: Sequence[str], *, limit: int
) -> list[tuple[tuple[str, ...], int]]:
    """(values of these groups, how many), the most cases first; nobody is `none`."""
    columns = [GROUPS[name] for name in groups]
    counted = cases.order_by().values_list(*columns).annotate(number=Count("pk"))
    rows = counted.order_by("-number", *columns)[:limit]
    return [(tuple(str(value or "none") for value in values), n) for *values, n in rows]


def view_counts(me: User) -> dict[str, int]:
    """How many cases the views beside "All projects" hold."""
    return Case.objects.order_by().aggregate(
        mine=Count("pk", filter=_in_view("mine", me)),
        failed=Count("pk", filter=_in_view("failed", me)),
        archived=Count("pk", filter=_in_view("archived", me)),
        any=Count("pk"),
    )


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
    told = TimelineEntry.objects.filter(case=case).select_related("actor")
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
    linked = Project.objects.select_related("destination__account")
    return [ProjectRow(each, *counts.get(each.pk, (0, 0))) for each in linked]


# --- Searching ------------------------------------------------------------------------

_TERM = re.compile(r"(status|priority|assignee|project|origin):(\([^()]*\)|\S+)", re.IGNORECASE)


def search_condition(text: str, *, me: User | None) -> Q:
    """What a search asks for: `field:value` or `field:(value OR value)` terms, and words.

    Fields are status, priority, assignee (me, none, or a part of a name or e-mail address),
    project (its key) and origin. Every term must hold and every word must be in the key, the
    title or the key in Jira. Raises BadTerm.
    """
    condition = Q()
    for name, values in _TERM.findall(text):
        either = re.split(r"\s+OR\s+", values.strip("()").strip())
        condition &= _any_of(name.lower(), either, me)
    for word in _TERM.sub(" ", text).split():
        condition &= Q(key__icontains=word) | Q(title__icontains=word) | _with_issue(word)
    return condition


def _with_issue(word: str) -> Q:
    keys = ExternalIssue.objects.filter(detached_at=None, issue_key__icontains=word)
    return Q(pk__in=keys.order_by().values("case"))


def _any_of(name: str, values: Sequence[str], me: User | None) -> Q:
    conditions = Q()
    for value in values:
        conditions |= _assigned_to(value, me) if name == "assignee" else _equal(name, value)
    return conditions


def _equal(name: str, value: str) -> Q:
    if name == "project":
        return Q(project__key=value.upper())
    choices = {
        "status": Case.Status.values,
        "priority": Case.Priority.values,
        "origin": Case.Origin.values,
    }[name]
    known = {choice.lower(): choice for choice in choices}
    chosen = known.get(value.lower().replace("-", "_"))
    if chosen is None:
        raise BadTerm(f"“{value}” is not a {name}. Use {', '.join(known)}.")
    return Q(**{name: chosen})


def _assigned_to(value: str, me: User | None) -> Q:
    if value.lower() == "me":
        if me is None:
            raise BadTerm("“me” is nobody here. Name a person.")
        return Q(assignee=me)
    if value.lower() == "none":
        return Q(assignee=None)
    return Q(assignee__name__icontains=value) | Q(assignee__email__icontains=value)


def _in_view(view: str, me: User) -> Q:
    if view == "archived":
        return Q(archived_at__isnull=False)
    if view == "failed":
        failed = ExternalIssue.objects.filter(FAILED, detached_at=None).order_by()
        return Q(archived_at=None, pk__in=failed.values("case"))
    return Q(archived_at=None, assignee=me) if view == "mine" else Q(archived_at=None)


def _rows(cases: QuerySet[Case], number: int) -> list[CaseRow]:
    shown = list(
        cases.select_related("assignee").defer("description")[(number - 1) * ROWS : number * ROWS]
    )
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
