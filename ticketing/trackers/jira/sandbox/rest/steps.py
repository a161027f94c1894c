"""Transitions: which steps an issue may take now, and taking one."""

from __future__ import annotations

from typing import Any

from ticketing.trackers.jira.sandbox import workflow
from ticketing.trackers.jira.sandbox.calls import NO_CONTENT, Answer, Call, route
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.model import Transition

_RESOLUTION = {
    "required": True,
    "schema": {"type": "resolution", "system": "resolution"},
    "name": "Resolution",
    "key": "resolution",
    "fieldId": "resolution",
    "operations": ["set"],
    "allowedValues": [{"id": "10000", "name": "Done"}, {"id": "10001", "name": "Won't Do"}],
}


def list_transitions(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    steps = workflow.steps_from_here(call.site, call.person, issue)
    only = call.query.get("transitionId")
    shapes = [_shape(call, step) for step in steps if only in (None, step.id)]
    return Answer.json({"expand": "transitions", "transitions": shapes})


def _shape(call: Call, step: Transition) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": step.id,
        "name": step.name,
        "to": call.shapes.status(call.site.statuses[step.target]),
        "hasScreen": step.needs_resolution,
        "isGlobal": False,
        "isInitial": False,
        "isAvailable": True,
        "isConditional": False,
    }
    if "transitions.fields" in call.names("expand"):
        shape["fields"] = {"resolution": _RESOLUTION} if step.needs_resolution else {}
    return shape


def take_transition(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    transition = call.payload.get("transition")
    if not isinstance(transition, dict) or not transition.get("id"):
        raise Refused(400, "Missing 'transition' identifier")
    workflow.take(
        call.site,
        call.caller,
        issue,
        str(transition["id"]),
        call.payload.get("fields") or {},
    )
    return NO_CONTENT


ROUTES = (
    route("GET", "issue/{issue}/transitions", list_transitions, serves_strangers=True),
    route("POST", "issue/{issue}/transitions", take_transition),
)
