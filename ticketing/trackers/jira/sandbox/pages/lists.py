"""The front page and the page of a project: lists of issues."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element

from ticketing.trackers.jira.sandbox.calls import Answer
from ticketing.trackers.jira.sandbox.levers import SLOW_SECONDS
from ticketing.trackers.jira.sandbox.model import Issue, Option, Project
from ticketing.trackers.jira.sandbox.pages.frame import Visit, moment, name_of, page, pill
from ticketing.trackers.jira.sandbox.pages.html import link, post, tag
from ticketing.trackers.jira.sandbox.site import Site

_LATEST = 20
_SHOWN = 500


def front(visit: Visit) -> Answer:
    site = visit.site
    rows = [
        tag(
            "tr",
            tag("td", link(f"/projects/{project.key}", project.key)),
            tag("td", project.name, " (archived)" if project.archived else None),
            tag("td", str(len(_issues(site, project)))),
        )
        for project in site.projects.values()
        if not project.deleted
    ]
    latest = sorted(site.issues.values(), key=lambda issue: issue.updated_at, reverse=True)
    return page(
        visit,
        "Projects",
        tag("h1", "Projects"),
        tag(
            "p",
            "This stands in for the Jira of your company while you try things out. "
            "What you change here travels back as it would from a real one.",
        ),
        _table("Projects", ("Key", "Name", "Issues"), rows),
        _troubles(visit),
        tag("h2", "Latest changes"),
        _issue_table(site, latest[:_LATEST]),
    )


def project_page(visit: Visit, project: Project) -> Answer:
    newest = sorted(_issues(visit.site, project), key=lambda issue: issue.number, reverse=True)
    create = post(
        f"/projects/{project.key}/issues",
        tag(
            "label", "Summary ", tag("input", name="summary", required="required", maxlength="254")
        ),
        tag("button", "Create issue"),
        class_="line",
    )
    return page(
        visit,
        project.name,
        tag("h1", project.name, " (archived)" if project.archived else None),
        _issue_table(visit.site, newest[:_SHOWN]),
        tag("h2", "New issue"),
        create,
        _archiving(project),
    )


def _troubles(visit: Visit) -> Element:
    """What may happen to a Jira, one button each, and the one that ends it."""
    token = (
        (
            "/trouble/revoke-token",
            "Revoke token",
            "Findings Automation will not be able to sign in.",
        )
        if visit.has_token
        else ("/trouble/restore-token", "Restore token", "The token is revoked.")
    )
    speed = (
        ("/trouble/speed-up", "Be fast again", f"Every call takes {SLOW_SECONDS} seconds.")
        if visit.jira.is_slow
        else ("/trouble/slow-down", "Be slow", f"Every call will take {SLOW_SECONDS} seconds.")
    )
    return tag(
        "section",
        tag("h2", "Make trouble"),
        tag("p", "See what Findings Automation makes of it, and how it recovers."),
        *(_button(*each) for each in (token, speed)),
    )


def _archiving(project: Project) -> Element:
    base = f"/projects/{project.key}"
    button = (
        _button(f"{base}/restore", "Restore this project", "Nobody can create issues in it now.")
        if project.archived
        else _button(
            f"{base}/archive",
            "Archive this project",
            "A rule with tickets here is disabled at its next one, and says why.",
        )
    )
    return tag("section", tag("h2", "Make trouble"), button)


def _button(address: str, verb: str, words: str) -> Element:
    return post(address, tag("button", verb), tag("span", words), class_="line choice")


def _issues(site: Site, project: Project) -> list[Issue]:
    return [issue for issue in site.issues.values() if issue.project_id == project.id]


def _issue_table(site: Site, issues: list[Issue]) -> Element:
    if not issues:
        return tag("p", "No issues yet.", class_="empty")
    rows = [
        tag(
            "tr",
            tag("td", link(f"/browse/{issue.key}", issue.key)),
            tag("td", str(issue.fields.get("summary", ""))),
            tag("td", pill(site.statuses[issue.status_id])),
            tag("td", priority(site.priorities, issue)),
            tag("td", name_of(site, issue.fields.get("assignee"))),
            tag("td", moment(issue.updated_at)),
        )
        for issue in issues
    ]
    return _table("Issues", ("Key", "Summary", "Status", "Priority", "Assignee", "Updated"), rows)


def priority(priorities: Iterable[Option], issue: Issue) -> str:
    chosen = issue.fields.get("priority")
    return next((option.name for option in priorities if option.id == chosen), "None")


def _table(label: str, heads: tuple[str, ...], rows: list[Element]) -> Element:
    head = tag("tr", *(tag("th", words, scope="col") for words in heads))
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)
