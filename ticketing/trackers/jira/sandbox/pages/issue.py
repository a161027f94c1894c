"""The page of an issue: what it says, and the forms of a colleague."""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import Element

from ticketing.trackers.jira.sandbox import markup, workflow
from ticketing.trackers.jira.sandbox.calls import Answer
from ticketing.trackers.jira.sandbox.model import Issue, Transition
from ticketing.trackers.jira.sandbox.pages.frame import Visit, moment, name_of, page, people, pill
from ticketing.trackers.jira.sandbox.pages.html import (
    Child,
    from_document,
    link,
    post,
    select,
    tag,
)
from ticketing.trackers.jira.sandbox.pages.lists import priority
from ticketing.trackers.jira.sandbox.shapes import Shapes
from ticketing.trackers.jira.sandbox.site import Site

_SHOWN_ELSEWHERE = frozenset({"summary", "description", "assignee", "priority", "reporter"})


def issue_page(visit: Visit, issue: Issue, problem: str = "") -> Answer:
    site = visit.site
    project = site.project_of(issue)
    description = issue.fields.get("description")
    text: Child = (
        from_document(markup.as_document(description))
        if description
        else tag("p", "No description.", class_="empty")
    )
    return page(
        visit,
        f"{issue.key} {issue.fields.get('summary', '')}",
        tag("p", link(f"/projects/{project.key}", project.name), " / ", issue.key),
        tag("h1", str(issue.fields.get("summary", ""))),
        tag("p", problem, role="alert", class_="problem") if problem else None,
        tag("p", pill(site.statuses[issue.status_id])),
        tag("section", tag("h2", "Description"), text),
        _details(site, issue),
        _links(issue),
        _comments(site, issue),
        _forms(visit, issue),
        _history(site, issue),
        status=400 if problem else 200,
    )


def _details(site: Site, issue: Issue) -> Element:
    rows = [
        ("Type", site.types[issue.type_id].name),
        ("Priority", priority(site.priorities, issue)),
        ("Assignee", name_of(site, issue.fields.get("assignee"))),
        ("Reporter", name_of(site, issue.fields.get("reporter"))),
    ]
    shown = Shapes(site).fields(issue, set(issue.fields) - _SHOWN_ELSEWHERE)
    rows += [(_name(site, name), _words(value)) for name, value in shown.items() if value]
    cells: list[Child] = []
    for name, words in rows:
        cells += [tag("dt", name), tag("dd", words)]
    cells += [tag("dt", "Created"), tag("dd", moment(issue.created_at))]
    cells += [tag("dt", "Updated"), tag("dd", moment(issue.updated_at))]
    return tag("section", tag("h2", "Details"), tag("dl", *cells))


def _name(site: Site, field: str) -> str:
    known = site.known_fields.get(field)
    return known.name if known else field.capitalize()  # a resolution is on no create screen


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    if isinstance(value, dict):
        words = next(
            (value[key] for key in ("value", "name", "displayName", "key") if key in value),
            None,
        )
        child = value.get("child")
        return f"{words or json.dumps(value)}{' / ' + _words(child) if child else ''}"
    return str(value)


def _links(issue: Issue) -> Element | None:
    if not issue.links:
        return None
    rows = [
        tag(
            "li",
            link(one["object"]["url"], one["object"]["title"], rel="noreferrer noopener"),
        )
        for one in issue.links.values()
    ]
    return tag("section", tag("h2", "Links"), tag("ul", *rows))


def _comments(site: Site, issue: Issue) -> Element:
    rows = [
        tag(
            "article",
            tag("p", tag("strong", name_of(site, comment.author)), " ", moment(comment.created_at)),
            from_document(markup.as_document(comment.text)),
        )
        for comment in issue.comments
    ]
    empty = None if rows else tag("p", "No comments yet.", class_="empty")
    return tag("section", tag("h2", "Comments"), *rows, empty)


def _forms(visit: Visit, issue: Issue) -> Element:
    site, base = visit.site, f"/browse/{issue.key}"
    steps = [
        (step.id, _step(step, site.statuses[step.target].name))
        for step in workflow.steps_from_here(site, visit.person, issue)
    ]
    assignees = [("", "Nobody"), *((one.account_id, one.display_name) for one in people(site))]
    summary = tag(
        "input",
        name="summary",
        value=str(issue.fields.get("summary", "")),
        required="required",
        maxlength="254",
    )
    chosen = issue.fields.get("assignee") or ""
    return tag(
        "section",
        tag("h2", f"Act as {visit.person.display_name}"),
        _form(
            f"{base}/comment",
            "Comment",
            tag("textarea", name="text", rows="3", required="required"),
            "Add comment",
        ),
        _form(f"{base}/status", "Status", select("step", steps), "Change status")
        if steps
        else tag("p", "The workflow has no way on from here.", class_="empty"),
        _form(f"{base}/assignee", "Assignee", select("person", assignees, chosen), "Assign"),
        _form(f"{base}/summary", "Summary", summary, "Rename"),
        post(f"{base}/delete", tag("button", "Delete issue", class_="danger"), class_="line"),
    )


def _step(step: Transition, target: str) -> str:
    return target if step.name == target else f"{step.name} → {target}"


def _form(address: str, label: str, control: Element, verb: str) -> Element:
    return post(address, tag("label", f"{label} ", control), tag("button", verb), class_="line")


def _history(site: Site, issue: Issue) -> Element | None:
    rows = [
        tag(
            "li",
            moment(history.at),
            f" {name_of(site, history.by)} changed {item.field} from "
            f"“{item.before or 'nothing'}” to “{item.after or 'nothing'}”.",
        )
        for history in reversed(issue.histories)
        for item in history.items
    ]
    return tag("section", tag("h2", "History"), tag("ul", *rows)) if rows else None
