"""What Jira says about an issue → IssueState. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
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
from ticketing.trackers.jira.field_values import as_moment

Json = Mapping[str, Any]

COMMENT_PROPERTY = "findings-automation.comment"
RESTRICTED_COMMENT = "*A restricted comment in Jira.*"
FIELDS = (
    *("project", "status", "resolution", "assignee", "priority", "summary", "description"),
    *("updated", "comment"),
)
_FOLLOWED = {
    "status": "status",
    "resolution": "resolution",
    "assignee": "assignee",
    "priority": "priority",
    "summary": "title",
    "description": "description",
}


def issue_state(
    issue: Json,
    comments: Sequence[RemoteComment],
    *,
    ahead: timedelta = timedelta(),
    dates: Collection[str] = (),
) -> IssueState:
    fields = issue["fields"]
    return IssueState(
        ref=issue_ref(issue),
        space_id=str(fields["project"]["id"]),
        space_key=str(fields["project"]["key"]),
        status=str(fields["status"]["name"]),
        category=category(fields["status"]),
        resolution=resolution(fields),
        assignee=user(fields["assignee"]) if fields.get("assignee") else None,
        priority_id=str((fields.get("priority") or {}).get("id", "")),
        title=str(fields.get("summary") or ""),
        description=markdown(fields.get("description")),
        updated_at=moment(fields["updated"]),
        ahead=ahead,
        edits=edits((issue.get("changelog") or {}).get("histories") or (), dates),
        comments=comments,
        dates=days(fields, dates),
    )


def issue_ref(issue: Json) -> IssueRef:
    return IssueRef(str(issue["id"]), str(issue["key"]))


def category(status: Json) -> Category:
    """An unknown category is that of a status which nobody has sorted yet."""
    key = (status.get("statusCategory") or {}).get("key")
    return Category(key) if key in set(Category) else Category.NEW


def resolution(fields: Json) -> str:
    return str((fields.get("resolution") or {}).get("name") or "")


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


def days(fields: Json, ids: Collection[str]) -> dict[str, date | None]:
    """The days in these fields, a moment's being that of UTC, whoever reads it where; without
    those that this issue does not have, or that hold something else."""
    found = {id_: (fields[id_], _day(fields[id_])) for id_ in ids if id_ in fields}
    return {id_: day for id_, (value, day) in found.items() if day or not value}


def _day(value: Any) -> date | None:
    moment = as_moment(value)
    try:
        return moment.astimezone(UTC).date() if moment else None
    except OverflowError:  # on the first day there is, or the last
        return None


def edits(histories: Iterable[Json], dates: Collection[str] = ()) -> dict[str, Edit]:
    """The last change of each field that is followed."""
    followed = {**_FOLLOWED, **{id_.lower(): id_ for id_ in dates}}
    last: dict[str, Edit] = {}
    for history in histories:
        author = user(history.get("author") or {})
        edit = Edit(moment(history["created"]), author.id, author.name)
        for item in history.get("items") or ():
            name = followed.get(str(item.get("fieldId") or item.get("field") or "").lower())
            if name and (name not in last or last[name].at <= edit.at):
                last[name] = edit
    return last


def comment(raw: Json, key: str) -> RemoteComment:
    """What of a comment everybody may read: the text of others' restricted ones stays in Jira.

    Restricted is what a role or group alone may see, and what is internal to a service project.
    """
    restricted = not key and (bool(raw.get("visibility")) or raw.get("jsdPublic") is False)
    return RemoteComment(
        id=str(raw["id"]),
        key=key,
        author=user(raw.get("author") or {}),
        text=RESTRICTED_COMMENT if restricted else markdown(raw.get("body")),
        created_at=moment(raw["created"]),
        updated_at=moment(raw["updated"]),
    )


def key_of(properties: Any) -> str:
    """The key in the properties of a comment: Jira lists them, or maps them."""
    if isinstance(properties, list):
        properties = {one.get("key"): one.get("value") for one in properties}
    value = properties.get(COMMENT_PROPERTY) if isinstance(properties, Mapping) else None
    return str(value.get("key") or "") if isinstance(value, Mapping) else ""
