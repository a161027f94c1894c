"""Transitions: which steps an issue may take now, and taking one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ticketing.trackers.jira.sandbox import workflow
from ticketing.trackers.jira.sandbox.calls import NO_CONTENT, Answer, Call, route
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.metadata import field_metadata
from ticketing.trackers.jira.sandbox.model import Field, Project, Transition

_FIXED = frozenset({"project", "issuetype"})


def list_transitions(call: Call) -> Answer:
    issue = call.site.issue(call.parts["issue"], call.person)
    steps = workflow.steps_from_here(call.site, call.person, issue)
    only = call.query.get("transitionId")
    project = call.site.project_of(issue)
    shapes = [_shape(call, project, step) for step in steps if only in (None, step.id)]
    return Answer.json({"expand": "transitions", "transitions": shapes})


def _shape(call: Call, project: Project, step: Transition) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": step.id,
        "name": step.name,
        "to": call.shapes.status(call.site.statuses[step.target]),
        "hasScreen": bool(step.screen),
        "isGlobal": False,
        "isInitial": False,
        "isAvailable": True,
        "isConditional": False,
    }
    if "transitions.fields" in call.names("expand"):
        shape["fields"] = _screen(call, project, step.screen)
    return shape


def _screen(call: Call, project: Project, fields: Iterable[Field]) -> dict[str, Any]:
    return {
        field.id: {"key": field.id} | field_metadata(call.site, call.shapes, project, field)
        for field in fields
    }


def edit_screen(call: Call) -> Answer:
    """What of the issue can be edited now."""
    issue = call.site.issue(call.parts["issue"], call.person)
    project = call.site.project_of(issue)
    fields = project.fields[issue.type_id].values()
    editable = [] if project.archived else [f for f in fields if f.id not in _FIXED]
    return Answer.json({"fields": _screen(call, project, editable)})


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
        version=call.version,
    )
    return NO_CONTENT


ROUTES = (
    route("GET", "issue/{issue}/editmeta", edit_screen, serves_strangers=True),
    route("GET", "issue/{issue}/transitions", list_transitions, serves_strangers=True),
    route("POST", "issue/{issue}/transitions", take_transition),
)
