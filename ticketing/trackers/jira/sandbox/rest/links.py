"""Links of issues: to pages elsewhere, one per globalId, and to each other."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ticketing.trackers.jira.sandbox import issues
from ticketing.trackers.jira.sandbox.calls import NO_CONTENT, Answer, Call, route
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.model import Issue

Json = dict[str, Any]

_LIMIT = 2000
_TYPES = (
    {"id": "10000", "name": "Relates", "inward": "relates to", "outward": "relates to"},
    {"id": "10001", "name": "Blocks", "inward": "is blocked by", "outward": "blocks"},
    {"id": "10002", "name": "Duplicate", "inward": "is duplicated by", "outward": "duplicates"},
)


def set_remote_link(call: Call) -> Answer:
    """Adds, or replaces the one with the same globalId as a whole."""
    issue = call.site.issue(call.parts["issue"], call.person)
    issues.refuse_readonly(call.site, call.caller, issue, "LINK_ISSUES")
    payload = call.payload
    thing = payload.get("object") or {}
    errors = {
        f"object.{name}": f"'{name}' is required."
        for name in ("url", "title")
        if not thing.get(name)
    }
    if thing.get("url") and urlsplit(thing["url"]).scheme not in {"http", "https"}:
        errors["object.url"] = "The URL is not valid."
    if len(payload.get("globalId") or "") > 255:
        errors["globalId"] = "The global ID must not be longer than 255 characters."
    if errors:
        raise Refused(400, errors=errors)
    key = payload.get("globalId") or f"link-{call.site.next_id()}"
    if key not in issue.links and len(issue.links) >= _LIMIT:
        raise Refused(413, "The issue has too many remote links.")
    is_new = key not in issue.links
    number = call.site.next_id() if is_new else issue.links[key]["id"]
    issue.links[key] = {
        "id": number,
        **{
            name: payload[name]
            for name in ("globalId", "application", "relationship", "object")
            if payload.get(name)
        },
    }
    return Answer.json(
        {"id": number, "self": _address(call, issue, number)}, 201 if is_new else 200
    )


def _address(call: Call, issue: Issue, number: int) -> str:
    return call.shapes.link(f"issue/{issue.id}/remotelink/{number}")


def list_remote_links(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    shapes = [link | {"self": _address(call, issue, link["id"])} for link in issue.links.values()]
    wanted = call.query.get("globalId")
    if wanted is None:
        return Answer.json(shapes)
    for shape in shapes:
        if shape.get("globalId") == wanted:
            return Answer.json(shape)
    raise Refused(404, "A link with this global ID does not exist.")


def link_types(call: Call) -> Answer:
    shapes = [kind | {"self": call.shapes.link(f"issueLinkType/{kind['id']}")} for kind in _TYPES]
    return Answer.json({"issueLinkTypes": shapes})


def link_issues(call: Call) -> Answer:
    payload = call.payload
    given = payload.get("type") or {}
    for kind in _TYPES:
        if given.get("id") == kind["id"] or given.get("name") == kind["name"]:
            break
    else:
        raise Refused(404, "No issue link type with this name or id was found.")
    inward, outward = (_end(call, payload.get(end)) for end in ("inwardIssue", "outwardIssue"))
    issues.refuse_readonly(call.site, call.caller, inward, "LINK_ISSUES")
    number = str(call.site.next_id())
    relation = {"id": number, "type": kind | {"self": call.shapes.link("issueLinkType")}}
    inward.related.append(relation | {"direction": "outwardIssue", "other": str(outward.id)})
    outward.related.append(relation | {"direction": "inwardIssue", "other": str(inward.id)})
    return Answer(status=201)


def _end(call: Call, given: Json | None) -> Issue:
    given = given or {}
    return call.site.issue(str(given.get("key") or given.get("id")), call.person)


def unlink_issues(call: Call) -> Answer:
    found = False
    for issue in call.site.issues.values():
        kept = [one for one in issue.related if one["id"] != call.parts["link"]]
        found = found or len(kept) < len(issue.related)
        issue.related = kept
    if not found:
        raise Refused(404, "No issue link with this id exists.")
    return NO_CONTENT


ROUTES = (
    route("POST", "issue/{issue}/remotelink", set_remote_link),
    route("GET", "issue/{issue}/remotelink", list_remote_links, serves_strangers=True),
    route("GET", "issueLinkType", link_types, serves_strangers=True),
    route("POST", "issueLink", link_issues),
    route("DELETE", "issueLink/{link}", unlink_issues),
)
