"""Comments over the REST API, and the properties that they carry."""

from __future__ import annotations

from typing import Any

from ticketing.trackers.jira.sandbox import comments
from ticketing.trackers.jira.sandbox.calls import NO_CONTENT, Answer, Call, route
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.model import Comment, Issue

Json = dict[str, Any]


def _shape(call: Call, issue: Issue, comment: Comment) -> Json:
    shape = call.shapes.comment(issue, comment)
    if "properties" in call.names("expand"):
        shape["properties"] = [
            {"key": key, "value": value} for key, value in comment.properties.items()
        ]
    return shape


def list_comments(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    start, size = call.number("startAt", 0), call.number("maxResults", 5000)
    found = sorted(issue.comments, key=lambda comment: comment.id)
    if call.query.get("orderBy", "created") == "-created":
        found.reverse()
    return Answer.json(
        {
            "startAt": start,
            "maxResults": size,
            "total": len(found),
            "comments": [_shape(call, issue, one) for one in found[start : start + size]],
        }
    )


def add_comment(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    comment = comments.add(call.site, call.caller, issue, call.payload, version=call.version)
    return Answer.json(_shape(call, issue, comment), 201)


def read_comment(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    return Answer.json(_shape(call, issue, comments.find(issue, call.parts["comment"])))


def edit_comment(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    comment = comments.find(issue, call.parts["comment"])
    comments.edit(call.site, call.caller, issue, comment, call.payload, version=call.version)
    return Answer.json(_shape(call, issue, comment))


def delete_comment(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    comments.delete(call.site, call.caller, issue, comments.find(issue, call.parts["comment"]))
    return NO_CONTENT


def _anywhere(call: Call) -> Comment:
    identity = call.parts["comment"]
    for issue in call.site.issues.values():
        if call.site.may_see(issue, call.person):
            for comment in issue.comments:
                if str(comment.id) == identity:
                    return comment
    raise Refused(404, f"Can not find a comment for the id: {identity}.")


def list_properties(call: Call) -> Answer:
    comment = _anywhere(call)
    base = f"comment/{comment.id}/properties"
    return Answer.json(
        {
            "keys": [
                {"self": call.shapes.link(f"{base}/{key}"), "key": key}
                for key in comment.properties
            ]
        }
    )


def read_property(call: Call) -> Answer:
    comment, key = _anywhere(call), call.parts["key"]
    if key not in comment.properties:
        raise Refused(404, f"The property {key} was not found.")
    return Answer.json({"key": key, "value": comment.properties[key]})


def set_property(call: Call) -> Answer:
    comment, key = _anywhere(call), call.parts["key"]
    is_new = key not in comment.properties
    comment.properties[key] = call.json
    return Answer.json({}, 201 if is_new else 200)


ROUTES = (
    route("GET", "issue/{issue}/comment", list_comments, serves_strangers=True),
    route("POST", "issue/{issue}/comment", add_comment),
    route("GET", "issue/{issue}/comment/{comment}", read_comment, serves_strangers=True),
    route("PUT", "issue/{issue}/comment/{comment}", edit_comment),
    route("DELETE", "issue/{issue}/comment/{comment}", delete_comment),
    route("GET", "comment/{comment}/properties", list_properties, serves_strangers=True),
    route("GET", "comment/{comment}/properties/{key}", read_property, serves_strangers=True),
    route("PUT", "comment/{comment}/properties/{key}", set_property),
)
