"""Issues: create, read, edit, delete, and their properties."""

from __future__ import annotations

from typing import Any

from ticketing.trackers.jira.sandbox import issues, workflow
from ticketing.trackers.jira.sandbox.calls import NO_CONTENT, Answer, Call, route
from ticketing.trackers.jira.sandbox.errors import Refused, no_issue
from ticketing.trackers.jira.sandbox.model import Issue

Json = dict[str, Any]

_BULK_LIMIT = 100
_EVERY_FIELD = frozenset({"*all", "*navigable"})


def wanted_fields(names: list[str], default: str) -> set[str] | None:
    """None is every field; `-name` leaves one out only of the long lists, so it is ignored."""
    chosen = {name for name in (names or [default]) if name and not name.startswith("-")}
    if chosen & _EVERY_FIELD:
        return None
    return chosen - {"id", "key"}


def create_issue(call: Call) -> Answer:
    payload = call.payload
    issue = issues.create(call.site, call.caller, payload, version=call.version)
    shape: Json = {
        "id": str(issue.id),
        "key": issue.key,
        "self": call.shapes.link(f"issue/{issue.id}"),
    }
    if transition := payload.get("transition"):
        shape["transition"] = _first_step(call, issue, transition)
    return Answer.json(shape, 201)


def _first_step(call: Call, issue: Issue, transition: Json) -> Json:
    """The issue stays even when the step that should follow is refused."""
    try:
        workflow.take(
            call.site, call.caller, issue, str(transition.get("id")), {}, version=call.version
        )
    except Refused as refused:
        return {"status": refused.status, "errorCollection": refused.body}
    return {"status": 204, "errorCollection": {"errorMessages": [], "errors": {}}}


def read_issue(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    return Answer.json(
        call.shapes.issue(
            issue,
            wanted=wanted_fields(call.names("fields"), "*all"),
            properties=call.names("properties"),
            expand=call.names("expand"),
        )
    )


def edit_issue(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    payload = call.payload
    fields = issues.with_updates(payload.get("fields") or {}, payload.get("update"), issue.fields)
    properties = issues.properties_of(payload)
    issues.edit(call.site, call.caller, issue, fields, version=call.version)
    issue.properties |= properties
    return NO_CONTENT


def delete_issue(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    issues.delete(call.site, call.caller, issue)
    return NO_CONTENT


def assign(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    issues.refuse_readonly(call.site, call.caller, issue, "ASSIGN_ISSUES")
    word = "accountId" if call.site.is_cloud else "name"
    identity = call.payload.get(word)
    value = {word: identity} if identity is not None else None
    issues.edit(call.site, call.caller, issue, {"assignee": value}, version=call.version)
    return NO_CONTENT


def bulk_fetch(call: Call) -> Answer:
    """Reads the issues themselves, not the index; those that are not there are left out."""
    payload = call.payload
    identities = payload.get("issueIdsOrKeys") or []
    if not identities or len(identities) > _BULK_LIMIT:
        raise Refused(400, "Between 1 and 100 issue IDs or keys can be requested.")
    found: dict[int, Issue] = {}
    for identity in identities:
        issue = call.site.find_issue(str(identity))
        if issue is not None and call.site.may_see(issue, call.person):
            found[issue.id] = issue
    shapes = [
        call.shapes.issue(
            issue,
            wanted=wanted_fields(payload.get("fields") or [], "*navigable"),
            properties=payload.get("properties") or [],
            expand=payload.get("expand") or [],
        )
        for issue in found.values()
    ]
    return Answer.json({"issues": shapes, "issueErrors": []})


def list_properties(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    base = f"issue/{issue.id}/properties"
    return Answer.json(
        {
            "keys": [
                {"self": call.shapes.link(f"{base}/{key}"), "key": key} for key in issue.properties
            ]
        }
    )


def read_property(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    key = call.parts["key"]
    if key not in issue.properties:
        raise Refused(404, f"The property {key} was not found.")
    return Answer.json({"key": key, "value": issue.properties[key]})


def set_property(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    issues.refuse_readonly(call.site, call.caller, issue, "EDIT_ISSUES")
    key, value = call.parts["key"], call.json
    issues.check_property(key, value)
    is_new = key not in issue.properties
    issue.properties[key] = value
    return Answer.json({}, 201 if is_new else 200)


def delete_property(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    if issue.properties.pop(call.parts["key"], None) is None:
        raise no_issue()
    return NO_CONTENT


ROUTES = (
    route("POST", "issue", create_issue),
    route("POST", "issue/bulkfetch", bulk_fetch, serves_strangers=True, only_on="cloud"),
    route("GET", "issue/{issue}", read_issue, serves_strangers=True),
    route("PUT", "issue/{issue}", edit_issue),
    route("DELETE", "issue/{issue}", delete_issue),
    route("PUT", "issue/{issue}/assignee", assign),
    route("GET", "issue/{issue}/properties", list_properties, serves_strangers=True),
    route("GET", "issue/{issue}/properties/{key}", read_property, serves_strangers=True),
    route("PUT", "issue/{issue}/properties/{key}", set_property),
    route("DELETE", "issue/{issue}/properties/{key}", delete_property),
)
