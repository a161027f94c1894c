"""Comments of issues, and the news of them."""

from __future__ import annotations

from typing import Any

from ticketing.trackers.jira.sandbox import issues
from ticketing.trackers.jira.sandbox.documents import check_document
from ticketing.trackers.jira.sandbox.errors import InvalidValue, Refused
from ticketing.trackers.jira.sandbox.model import Comment, Issue, Person
from ticketing.trackers.jira.sandbox.shapes import Shapes
from ticketing.trackers.jira.sandbox.site import Site
from ticketing.trackers.jira.sandbox.values import TEXT_LIMIT

Json = dict[str, Any]

_LIMIT = 5000


def add(site: Site, person: Person, issue: Issue, body: Json, *, version: str) -> Comment:
    issues.refuse_readonly(site, person, issue, "ADD_COMMENTS")
    if len(issue.comments) >= _LIMIT:
        raise Refused(413, "The issue has too many comments.")
    now = site.clock()
    comment = Comment(
        id=site.next_id(),
        author=person.account_id,
        text=_text(body, version),
        created_at=now,
        updated_at=now,
        properties={entry["key"]: entry["value"] for entry in body.get("properties") or []},
    )
    issue.comments.append(comment)
    _tell(site, "comment_created", issue, comment, person)
    return comment


def _text(body: Json, version: str) -> str | Json:
    text = body.get("body")
    if not text:
        raise Refused(400, errors={"comment": "Comment body can not be empty!"})
    if version == "3":
        try:
            return check_document(text)
        except InvalidValue as invalid:
            raise Refused(400, errors={"comment": f"{invalid}"}) from None
    if not isinstance(text, str):
        raise Refused(400, errors={"comment": "Operation value must be a string"})
    if len(text) > TEXT_LIMIT:
        raise Refused(
            400,
            errors={
                "comment": "The entered text is too long. "
                "It exceeds the allowed limit of 32,767 characters."
            },
        )
    return text


def find(issue: Issue, identity: str) -> Comment:
    for comment in issue.comments:
        if str(comment.id) == identity:
            return comment
    raise Refused(404, f"Can not find a comment for the id: {identity}.")


def edit(
    site: Site, person: Person, issue: Issue, comment: Comment, body: Json, *, version: str
) -> None:
    issues.refuse_readonly(site, person, issue, "ADD_COMMENTS")
    comment.text = _text(body, version)
    comment.updated_at = site.clock()
    for entry in body.get("properties") or []:
        comment.properties[entry["key"]] = entry["value"]
    _tell(site, "comment_updated", issue, comment, person)


def delete(site: Site, person: Person, issue: Issue, comment: Comment) -> None:
    issues.refuse_readonly(site, person, issue, "ADD_COMMENTS")
    issue.comments.remove(comment)
    _tell(site, "comment_deleted", issue, comment, person)


def _tell(site: Site, name: str, issue: Issue, comment: Comment, person: Person) -> None:
    site.touch(issue)
    if not site.hooks:
        return
    shapes = Shapes(site)
    brief = {"summary", "issuetype", "project", "assignee", "priority", "status"}
    site.tell(
        name,
        person,
        issue,
        {
            "comment": shapes.comment(issue, comment),
            "issue": shapes.issue(issue, wanted=brief),
            "eventType": "primaryAction",
        },
    )
