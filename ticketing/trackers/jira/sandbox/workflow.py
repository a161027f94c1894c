"""Steps from status to status, as the project's workflow has them."""

from __future__ import annotations

from typing import Any

from ticketing.trackers.jira.sandbox import issues
from ticketing.trackers.jira.sandbox.defaults import RESOLUTION
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.model import (
    ChangedItem,
    Issue,
    Kind,
    Person,
    Status,
    Transition,
)
from ticketing.trackers.jira.sandbox.site import Site


def steps_from_here(site: Site, person: Person | None, issue: Issue) -> list[Transition]:
    project = site.project_of(issue)
    if project.archived or not site.allows(person, "TRANSITION_ISSUES", project):
        return []
    return [step for step in project.transitions if step.source == issue.status_id]


def take(
    site: Site,
    person: Person,
    issue: Issue,
    transition_id: str,
    fields: dict[str, Any],
    *,
    version: str,
) -> None:
    for step in steps_from_here(site, person, issue):
        if step.id == transition_id:
            break
    else:
        raise Refused(
            400,
            "It seems that you have tried to perform a workflow operation that is not valid "
            "for the current state of this issue.",
        )
    screen = {field.id: field for field in step.screen}
    values = issues.checked(site, site.project_of(issue), screen, fields, version)
    _refuse_missing(site, issue, step, values)
    before = site.statuses[issue.status_id]
    after = site.statuses[step.target]
    issue.status_id = after.id
    items = [ChangedItem("status", before.id, before.name, after.id, after.name)]
    values = _with_resolution(site, issue, before, after, values)
    changed = ((site.known_fields.get(name) or RESOLUTION, value) for name, value in values.items())
    items += [
        item for field, value in changed if (item := issues.change(site, issue, field, value))
    ]
    issues.record(site, person, issue, items)


def _refuse_missing(site: Site, issue: Issue, step: Transition, values: dict[str, Any]) -> None:
    wanted = [field.id for field in step.screen if field.required]
    names = {field.id: field.name for field in (*site.known_fields.values(), *step.screen)}
    present = issue.fields | values
    errors = {
        id_: f"{names.get(id_, id_)} is required."
        for id_ in (*wanted, *step.validated)
        if present.get(id_) in (None, "", [])
    }
    if errors:
        raise Refused(400, errors=errors)


def _with_resolution(
    site: Site, issue: Issue, before: Status, after: Status, values: dict[str, Any]
) -> dict[str, Any]:
    """Boards resolve what is done, and take that back, without being asked."""
    is_done, was_done = after.category == "done", before.category == "done"
    if is_done and not was_done:
        return {RESOLUTION.id: RESOLUTION.options[0].id} | values
    if was_done and not is_done and not site.project_of(issue).keeps_resolution:
        return {RESOLUTION.id: None} | values
    return values


def what_people_say(step: Transition) -> dict[str, Any]:
    """What a person enters on the screen of a step, as it asks."""
    said: dict[str, Any] = {}
    for field in step.screen:
        if field.options:
            said[field.id] = {"id": field.options[0].id}
        elif field.required:
            said[field.id] = ["said"] if field.kind is Kind.LABELS else "Said by a person."
    return said
