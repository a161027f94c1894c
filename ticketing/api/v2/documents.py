"""Cases, projects and comments as the public API shows them.

Two families speak of cases: findings' (`cases`, `users`, `projects`) and case management's
(`case`, `user`, `project`). What they have in common is made once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from config.accounts.models import User
from ticketing.models import Case, ExternalIssue, Project, TimelineEntry
from ticketing.records import Record
from ticketing.states import State

STANDARD_TYPE = "00000000-0000-0000-0000-000000000001"
"""The id of the one type of case there is."""
STATUS_GROUPS = {status: f"SG_{status}" for status in Case.Status.values}
Document = dict[str, Any]


def finding_case(record: Record) -> Document:
    """A case as the operations on findings answer with it; what is unset is left out."""
    case = record.case
    attributes = _common(record) | {"type": "SECURITY", "due_date": _day(case)}
    attributes |= {"archived_at": _time(case.archived_at), "closed_at": _time(case.closed_at)}
    if case.attributes:
        attributes["attributes"] = case.attributes
    if case.assignee:
        attributes["assigned_to"] = {"data": _ref(case.assignee, "users")}
    if case.modified_at > case.created_at:
        attributes["modified_at"] = _time(case.modified_at)
    relationships: Document = {"project": {"data": _ref(case.project, "projects")}}
    if case.created_by:
        relationships["created_by"] = {"data": _ref(case.created_by, "users")}
    if record.modified_by:
        relationships["modified_by"] = {"data": _ref(record.modified_by, "users")}
    return {
        "id": str(case.pk),
        "type": "cases",
        "attributes": _without_none(attributes),
        "relationships": relationships,
    }


def one_case(record: Record) -> Document:
    """An answer of case management about one case, with everybody it names."""
    return {"data": _case(record), "included": people(record.people)}


def many_cases(records: Sequence[Record]) -> Document:
    named = {each.pk: each for record in records for each in record.people}
    return {"data": [_case(record) for record in records], "included": people(named.values())}


def people(users: Iterable[User]) -> list[Document]:
    return [
        {
            "id": str(each.pk),
            "type": "user",
            "attributes": {
                "active": each.is_active,
                "email": each.email,
                "handle": each.email,
                "name": each.name,
            },
        }
        for each in users
    ]


def cell(entry: TimelineEntry) -> Document:
    """A comment of a case's timeline. One that was deleted has lost its words."""
    return {
        "id": str(entry.pk),
        "type": "timeline_cell",
        "attributes": _without_none(
            {
                "type": "COMMENT",
                "author": {"type": "USER", "content": _author(entry)},
                "cell_content": {"message": entry.after},
                "created_at": _time(entry.created_at),
                "modified_at": _time(entry.edited_at),
                "deleted_at": _time(entry.deleted_at),
            }
        ),
    }


def _case(record: Record) -> Document:
    case = record.case
    attributes = _common(record) | {
        "archived_at": _time(case.archived_at),
        "attributes": case.attributes,
        "closed_at": _time(case.closed_at),
        "comment_count": record.comments,
        "custom_attributes": {},
        "internal_id": str(case.number),
        "merge_status": "NOT_MERGED",
        "modified_at": _time(case.modified_at) if case.modified_at > case.created_at else None,
        "public_id": str(case.number),
        "type": "STANDARD",
        "type_id": STANDARD_TYPE,
    }
    if case.due_date:
        attributes["due_date"] = _day(case)
    if case.resolved_reason:
        attributes["security_resolved_reason"] = case.resolved_reason
    people_of = {
        "assignee": case.assignee,
        "created_by": case.created_by,
        "modified_by": record.modified_by,
    }
    return {
        "id": str(case.pk),
        "type": "case",
        "attributes": attributes,
        "relationships": {
            **{name: {"data": _ref(who, "user")} for name, who in people_of.items()},
            "project": {"data": _ref(case.project, "project")},
        },
    }


def _common(record: Record) -> Document:
    case = record.case
    attributes: Document = {
        "created_at": _time(case.created_at),
        "creation_source": "CS_SECURITY_FINDING" if record.finding_ids else "MANUAL",
        "description": case.description,
        "insights": [_insight(finding_id) for finding_id in record.finding_ids],
        "key": case.key,
        "priority": case.priority,
        "status": case.status,
        "status_group": STATUS_GROUPS[case.status],
        "status_name": case.get_status_display(),
        "title": case.title,
    }
    if record.issue is not None:
        attributes["jira_issue"] = jira_issue(record.issue)
    return attributes


def jira_issue(issue: ExternalIssue) -> Document:
    """What became of the promise: on its way, kept, or waiting for a person."""
    if issue.state == State.BLOCKED:
        return {"status": "FAILED", "error_message": issue.reason}
    if issue.state != State.CREATED:
        return {"status": "IN_PROGRESS"}
    result = {
        "account_id": str(issue.account_id),
        "issue_id": issue.issue_id,
        "issue_key": issue.issue_key,
        "issue_url": issue.url,
        "project_key": issue.space_key,
    }
    if issue.gone_at:
        said = f"{issue.issue_key} was deleted in Jira, or is hidden from us."
        return {"status": "FAILED", "error_message": said, "result": result}
    return {"status": "COMPLETED", "result": result}


def _insight(finding_id: str) -> Document:
    return {
        "type": "SECURITY_FINDING",
        "ref": reverse("findings:finding-show", args=[finding_id]),
        "resource_id": finding_id,
    }


def _author(entry: TimelineEntry) -> Document:
    """Somebody in Jira and a key have a name alone."""
    if entry.actor:
        who = entry.actor
        return {"id": str(who.pk), "name": who.name, "email": who.email, "handle": who.email}
    return {"name": entry.author or entry.key_name}


def _ref(row: User | Project | None, type_: str) -> Document | None:
    return {"id": str(row.pk), "type": type_} if row else None


def _day(case: Case) -> str | None:
    return case.due_date.isoformat() if case.due_date else None


def rfc3339(moment: datetime) -> str:
    """With the Z that the public API ends in."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _without_none(attributes: Document) -> Document:
    return {name: value for name, value in attributes.items() if value is not None}
