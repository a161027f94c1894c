"""Steps from status to status, as the project's workflow has them."""

from __future__ import annotations

from typing import Any

from ticketing.trackers.jira.sandbox import issues
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.model import ChangedItem, Issue, Person, Transition
from ticketing.trackers.jira.sandbox.site import Site


def steps_from_here(site: Site, person: Person | None, issue: Issue) -> list[Transition]:
    project = site.project_of(issue)
    if project.archived or not site.allows(person, "TRANSITION_ISSUES", project):
        return []
    return [step for step in project.transitions if step.source == issue.status_id]


def take(
    site: Site, person: Person, issue: Issue, transition_id: str, fields: dict[str, Any]
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
    if step.needs_resolution and not fields.get("resolution"):
        raise Refused(400, errors={"resolution": "Resolution is required."})
    before = site.statuses[issue.status_id]
    after = site.statuses[step.target]
    issue.status_id = after.id
    items = [ChangedItem("status", before.id, before.name, after.id, after.name)]
    if (before.category == "done") != (after.category == "done"):
        done = after.category == "done"
        items.append(
            ChangedItem(
                "resolution",
                None if done else "10000",
                None if done else "Done",
                "10000" if done else None,
                "Done" if done else None,
            )
        )
    issues.record(site, person, issue, items)
