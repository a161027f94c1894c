"""Cases, projects and comments as the public API shows them.

Two families speak of cases: findings' (`cases`, `users`, `projects`) and case management's
(`case`, `user`, `project`). What they have in common is made once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from django.urls import reverse
from msgspec import UNSET, Struct, UnsetType

from config.accounts.models import User
from config.lib.datadog_api.shapes import (
    Count,
    Moment,
    Ref,
    Shown,
    ShownWith,
    ToOne,
    ToOneOrNone,
    only,
)
from ticketing.models import Case, ExternalIssue, TimelineEntry
from ticketing.records import Record
from ticketing.states import State

STANDARD_TYPE = "00000000-0000-0000-0000-000000000001"
"""The id of the one type of case there is."""
OURS = "Findings Automation"
"""The author of a comment that nobody wrote."""
STATUS_GROUPS = {status: f"SG_{status}" for status in Case.Status.values}


# --- What both families say of a case ---------------------------------------------------


class Insight(Struct):
    type: Literal["SECURITY_FINDING"]
    ref: str
    resource_id: str


class IssueResult(Struct):
    account_id: str
    issue_id: str
    issue_key: str
    issue_url: str
    project_key: str


class JiraIssue(Struct):
    status: Literal["IN_PROGRESS", "COMPLETED", "FAILED"]
    error_message: str | UnsetType = UNSET
    result: IssueResult | UnsetType = UNSET


class _Common(Struct, kw_only=True):
    created_at: Moment
    creation_source: str
    description: str
    due_date: date | UnsetType = UNSET
    insights: list[Insight]
    jira_issue: JiraIssue | UnsetType = UNSET
    key: str
    priority: Annotated[str, only(*Case.Priority.values)]
    status: Annotated[str, only(*Case.Status.values)]
    status_group: Annotated[str, only(*STATUS_GROUPS.values())]
    status_name: str
    title: str


def _common(record: Record) -> dict[str, Any]:
    case = record.case
    return {
        "created_at": case.created_at,
        "creation_source": case.creation_source,
        "description": case.description,
        "due_date": case.due_date or UNSET,
        "insights": [_insight(finding_id) for finding_id in record.finding_ids],
        "jira_issue": _jira_issue(record.issue) if record.issue else UNSET,
        "key": case.key,
        "priority": case.priority,
        "status": case.status,
        "status_group": STATUS_GROUPS[case.status],
        "status_name": case.get_status_display(),
        "title": case.title,
    }


def _insight(finding_id: str) -> Insight:
    ref = reverse("findings:finding-show", args=[finding_id])
    return Insight("SECURITY_FINDING", ref, finding_id)


def _jira_issue(issue: ExternalIssue) -> JiraIssue:
    """What became of the promise: on its way, kept, or waiting for a person."""
    if issue.state == State.BLOCKED:
        return JiraIssue("FAILED", issue.reason)
    if issue.state != State.CREATED:
        return JiraIssue("IN_PROGRESS")
    result = IssueResult(
        account_id=str(issue.account_id),
        issue_id=issue.issue_id,
        issue_key=issue.issue_key,
        issue_url=issue.url,
        project_key=issue.space_key,
    )
    if issue.gone_at:
        said = f"{issue.issue_key} was deleted in Jira, or is hidden from us."
        return JiraIssue("FAILED", said, result)
    return JiraIssue("COMPLETED", result=result)


# --- A finding's case -------------------------------------------------------------------


class FindingCaseAttributes(_Common, kw_only=True):
    archived_at: Moment | UnsetType = UNSET
    assigned_to: ToOne[Literal["users"]] | UnsetType = UNSET
    attributes: dict[str, list[str]] | UnsetType = UNSET
    closed_at: Moment | UnsetType = UNSET
    modified_at: Moment | UnsetType = UNSET
    type: str


class FindingCaseRelationships(Struct):
    project: ToOne[Literal["projects"]]
    created_by: ToOne[Literal["users"]] | UnsetType = UNSET
    modified_by: ToOne[Literal["users"]] | UnsetType = UNSET


FindingCase = ShownWith[Literal["cases"], FindingCaseAttributes, FindingCaseRelationships]


def finding_case(record: Record) -> FindingCase:
    """A case as the operations on findings answer with it; what is unset is left out."""
    case = record.case
    attributes = FindingCaseAttributes(
        **_common(record),
        archived_at=case.archived_at or UNSET,
        assigned_to=_to_user(case.assignee),
        attributes=case.attributes or UNSET,
        closed_at=case.closed_at or UNSET,
        modified_at=case.modified_at if case.modified_at > case.created_at else UNSET,
        type="SECURITY",
    )
    relationships = FindingCaseRelationships(
        project=ToOne(Ref(str(case.project_id), "projects")),
        created_by=_to_user(case.created_by),
        modified_by=_to_user(record.modified_by),
    )
    return ShownWith(case.pk, "cases", attributes, relationships)


def _to_user(user: User | None) -> ToOne[Literal["users"]] | UnsetType:
    return ToOne(Ref(str(user.pk), "users")) if user else UNSET


# --- A case of case management ----------------------------------------------------------


class CaseAttributes(_Common, kw_only=True):
    archived_at: Moment | None
    attributes: dict[str, list[str]]
    closed_at: Moment | None
    comment_count: Count
    custom_attributes: dict[str, Any]
    internal_id: str
    merge_status: str
    modified_at: Moment | None
    public_id: str
    security_resolved_reason: str | UnsetType = UNSET
    type: Literal["STANDARD"]
    type_id: str


class CaseRelationships(Struct):
    assignee: ToOneOrNone[Literal["user"]]
    created_by: ToOneOrNone[Literal["user"]]
    modified_by: ToOneOrNone[Literal["user"]]
    project: ToOne[Literal["project"]]


class Person(Struct):
    active: bool
    email: str
    handle: str
    name: str


class PageCounts(Struct):
    current: Count
    size: Count
    total: Count
    total_cases: Count | UnsetType = UNSET


class PageMeta(Struct):
    page: PageCounts


ShownCase = ShownWith[Literal["case"], CaseAttributes, CaseRelationships]
ShownPerson = Shown[Literal["user"], Person]


class OneCase(Struct):
    data: ShownCase
    included: list[ShownPerson]


class Cases(Struct):
    data: list[ShownCase]
    included: list[ShownPerson]
    meta: PageMeta


def one_case(record: Record) -> OneCase:
    """An answer of case management about one case, with everybody it names."""
    return OneCase(_case(record), _people(record.people))


def many_cases(records: Sequence[Record], page: PageCounts) -> Cases:
    named = {each.pk: each for record in records for each in record.people}
    return Cases([_case(record) for record in records], _people(named.values()), PageMeta(page))


def _people(users: Iterable[User]) -> list[ShownPerson]:
    return [
        Shown(
            each.pk,
            "user",
            Person(active=each.is_active, email=each.email, handle=each.email, name=each.name),
        )
        for each in users
    ]


def _case(record: Record) -> ShownCase:
    case = record.case
    attributes = CaseAttributes(
        **_common(record),
        archived_at=case.archived_at,
        attributes=case.attributes,
        closed_at=case.closed_at,
        comment_count=record.comments,
        custom_attributes={},
        internal_id=str(case.pk),
        merge_status="NOT_MERGED",
        modified_at=case.modified_at if case.modified_at > case.created_at else None,
        public_id=str(case.pk.int),
        security_resolved_reason=case.resolved_reason or UNSET,
        type="STANDARD",
        type_id=STANDARD_TYPE,
    )
    relationships = CaseRelationships(
        assignee=_to_person(case.assignee),
        created_by=_to_person(case.created_by),
        modified_by=_to_person(record.modified_by),
        project=to_project(case.project_id),
    )
    return ShownWith(case.pk, "case", attributes, relationships)


def _to_person(user: User | None) -> ToOneOrNone[Literal["user"]]:
    return ToOneOrNone(Ref(str(user.pk), "user") if user else None)


def to_project(pk: UUID) -> ToOne[Literal["project"]]:
    return ToOne(Ref(str(pk), "project"))


# --- A comment --------------------------------------------------------------------------


class AuthorNames(Struct):
    name: str
    id: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    handle: str | UnsetType = UNSET


class Author(Struct):
    type: Literal["USER"]
    content: AuthorNames


class CellContent(Struct):
    message: str


class CellAttributes(Struct):
    type: Literal["COMMENT"]
    author: Author
    cell_content: CellContent
    created_at: Moment
    modified_at: Moment | UnsetType = UNSET
    deleted_at: Moment | UnsetType = UNSET


Cell = Shown[Literal["timeline_cell"], CellAttributes]


class Cells(Struct):
    data: list[Cell]


class CellsPage(Struct):
    data: list[Cell]
    meta: PageMeta


def cell(entry: TimelineEntry) -> Cell:
    """A comment of a case's timeline. One that was deleted has lost its words."""
    attributes = CellAttributes(
        "COMMENT",
        Author("USER", _author(entry)),
        CellContent(entry.after),
        created_at=entry.created_at,
        modified_at=entry.edited_at or UNSET,
        deleted_at=entry.deleted_at or UNSET,
    )
    return Shown(UUID(int=entry.pk), "timeline_cell", attributes)


def _author(entry: TimelineEntry) -> AuthorNames:
    """A key's words are those of who answers for it; we and somebody in Jira have a name alone."""
    if who := entry.actor or entry.answerable:
        return AuthorNames(who.name, str(who.pk), who.email, who.email)
    return AuthorNames(entry.author or entry.key_name or OURS)
