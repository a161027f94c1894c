"""What every page has around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from ticketing.trackers.jira.sandbox.access import TokenState
from ticketing.trackers.jira.sandbox.calls import Answer
from ticketing.trackers.jira.sandbox.levers import Levers
from ticketing.trackers.jira.sandbox.model import Person, Status
from ticketing.trackers.jira.sandbox.pages.html import (
    Child,
    link,
    post,
    render,
    select,
    tag,
)
from ticketing.trackers.jira.sandbox.site import Site

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request for a page."""

    jira: Levers
    path: str
    person: Person  # whom the visitor acts as
    form: Mapping[str, str]

    @property
    def site(self) -> Site:
        return self.jira.site

    @property
    def has_token(self) -> bool:
        """Whether the product can sign in."""
        return self.jira.access.state is TokenState.VALID


def people(site: Site) -> list[Person]:
    """Whom a visitor may act as: anybody but the product."""
    return [one for one in site.people.values() if one.is_active and one != site.bot]


def page(visit: Visit, title: str, *content: Child, status: int = 200) -> Answer:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} – Sandbox Jira"),
        tag("link", rel="stylesheet", href="/sandbox.css"),
    )
    body = tag("body", _header(visit), tag("main", *content, id="main"))
    return Answer(
        status=status,
        body=render(tag("html", head, body, lang="en")),
        content_type="text/html;charset=UTF-8",
        headers=SECURITY,
    )


def _header(visit: Visit) -> Element:
    projects = [
        tag("li", link(f"/projects/{project.key}", project.key))
        for project in visit.site.projects.values()
        if not project.deleted
    ]
    options = [(one.account_id, one.display_name) for one in people(visit.site)]
    acting = post(
        "/person",
        tag("input", type="hidden", name="back", value=visit.path),
        tag("label", "You act as ", select("person", options, visit.person.account_id)),
        tag("button", "Change"),
    )
    return tag(
        "header",
        tag(
            "p",
            link("/", tag("strong", "Sandbox Jira")),
            " ",
            tag("span", "Not a real Jira", class_="notice"),
            *_troubles(visit),
        ),
        tag("nav", tag("ul", *projects), aria_label="Projects"),
        acting,
    )


def _troubles(visit: Visit) -> list[Child]:
    """What was broken on the front page, so that nobody forgets it."""
    troubles = {"Token revoked": not visit.has_token, "Slow": visit.jira.is_slow}
    found: list[Child] = []
    for words, is_so in troubles.items():
        found += [" ", tag("span", words, class_="notice")] if is_so else []
    return found


def pill(status: Status) -> Element:
    return tag("span", status.name, class_=f"pill {status.category}")


def moment(at: datetime) -> Element:
    at = at.astimezone(UTC)
    words = f"{at.day} {at.strftime('%b %Y, %H:%M')} UTC"
    return tag("time", words, datetime=at.isoformat(timespec="seconds"))


def name_of(site: Site, account_id: str | None) -> str:
    person = site.people.get(account_id or "")
    return person.display_name if person else "Nobody"


def redirect(address: str, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(
        status=303,
        content_type="text/plain;charset=UTF-8",
        headers={**SECURITY, "Location": address, **(headers or {})},
    )
