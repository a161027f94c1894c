"""What Jira says about an issue → IssueState. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ticketing.trackers.base import (
    Category,
    Edit,
    IssueRef,
    IssueState,
    RemoteComment,
    RemoteUser,
)
from ticketing.trackers.jira import adf, wiki

Json = Mapping[str, Any]

COMMENT_PROPERTY = "findings-automation.comment"
FIELDS = (
    *("project", "status", "assignee", "priority", "summary", "description", "updated"),
    "comment",
)
_FOLLOWED = {
    "status": "status",
    "assignee": "assignee",
    "priority": "priority",
    "summary": "title",
    "description": "description",
}


def issue_state(issue: Json, comments: Sequence[RemoteComment]) -> IssueState:
    fields = issue["fields"]
    return IssueState(
        ref=issue_ref(issue),
        space_id=str(fields["project"]["id"]),
        space_key=str(fields["project"]["key"]),
        status=str(fields["status"]["name"]),
        category=category(fields["status"]),
        assignee=user(fields["assignee"]) if fields.get("assignee") else None,
        priority_id=str((fields.get("priority") or {}).get("id", "")),
        title=str(fields.get("summary") or ""),
        description=markdown(fields.get("description")),
        updated_at=moment(fields["updated"]),
        edits=edits((issue.get("changelog") or {}).get("histories") or ()),
        comments=comments,
    )


def issue_ref(issue: Json) -> IssueRef:
    return IssueRef(str(issue["id"]), str(issue["key"]))


def category(status: Json) -> Category:
    """An unknown category is that of a status which nobody has sorted yet."""
    key = (status.get("statusCategory") or {}).get("key")
    return Category(key) if key in set(Category) else Category.NEW


def user(person: Json) -> RemoteUser:
    id_ = person.get("accountId") or person.get("name") or ""
    return RemoteUser(
        str(id_), str(person.get("displayName") or id_), str(person.get("emailAddress") or "")
    )


def markdown(value: Any) -> str:
    if isinstance(value, Mapping):
        return adf.from_document(value)
    return wiki.to_markdown(value) if isinstance(value, str) else ""


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def edits(histories: Iterable[Json]) -> dict[str, Edit]:
    """The last change of each field that is followed."""
    last: dict[str, Edit] = {}
    for history in histories:
        author = user(history.get("author") or {})
        edit = Edit(moment(history["created"]), author.id, author.name)
        for item in history.get("items") or ():
            name = _FOLLOWED.get(str(item.get("fieldId") or item.get("field") or "").lower())
            if name and (name not in last or last[name].at <= edit.at):
                last[name] = edit
    return last


def comment(raw: Json, key: str) -> RemoteComment:
    return RemoteComment(
        id=str(raw["id"]),
        key=key,
        author=user(raw.get("author") or {}),
        text=markdown(raw.get("body")),
        created_at=moment(raw["created"]),
        updated_at=moment(raw["updated"]),
    )


def key_of(properties: Any) -> str:
    """The key in the properties of a comment: Jira lists them, or maps them."""
    if isinstance(properties, list):
        properties = {one.get("key"): one.get("value") for one in properties}
    value = properties.get(COMMENT_PROPERTY) if isinstance(properties, Mapping) else None
    return str(value.get("key") or "") if isinstance(value, Mapping) else ""
