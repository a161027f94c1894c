"""From the address of a page to the page; forms change the site as a colleague would."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qsl, quote

from ticketing.trackers.jira.sandbox import comments, issues, workflow
from ticketing.trackers.jira.sandbox.calls import Answer
from ticketing.trackers.jira.sandbox.dispatch import Request
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.levers import Levers
from ticketing.trackers.jira.sandbox.model import Issue, Person
from ticketing.trackers.jira.sandbox.pages.frame import SECURITY, Visit, page, people, redirect
from ticketing.trackers.jira.sandbox.pages.html import tag
from ticketing.trackers.jira.sandbox.pages.issue import issue_page
from ticketing.trackers.jira.sandbox.pages.lists import front, project_page

_COOKIE = "sandbox_person"
_STYLE = Path(__file__).with_name("sandbox.css")
_ISSUE = re.compile(r"/browse/([A-Za-z]+-\d+)")
_PROJECT = re.compile(r"/projects/([A-Za-z]+)")
_NEW_ISSUE = re.compile(r"/projects/([A-Za-z]+)/issues")
_PROJECT_ACTION = re.compile(r"/projects/([A-Za-z]+)/(archive|restore)")
_TROUBLE = re.compile(r"/trouble/([a-z-]+)")
_ACTION = re.compile(r"/browse/([A-Za-z]+-\d+)/([a-z]+)")


def answer(jira: Levers, request: Request) -> Answer:
    if request.path == "/sandbox.css":
        return Answer(
            body=_STYLE.read_bytes(), content_type="text/css;charset=UTF-8", headers=SECURITY
        )
    visit = Visit(
        jira=jira,
        path=request.path,
        person=_person(jira, request),
        form=dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)),
    )
    with jira.site.lock:
        try:
            found = _write(visit) if request.method == "POST" else _read(visit)
        except Refused as refused:
            found = _problem(visit, refused)
    return found or page(visit, "Not found", tag("h1", "There is nothing here"), status=404)


def _person(jira: Levers, request: Request) -> Person:
    """The one chosen on the page, else the first."""
    cookies = SimpleCookie(request.headers.get("cookie", ""))
    chosen = cookies[_COOKIE].value if _COOKIE in cookies else ""
    everybody = people(jira.site)
    return next((one for one in everybody if one.name == chosen), everybody[0])


def _read(visit: Visit) -> Answer | None:
    if visit.path == "/":
        return front(visit)
    if match := _PROJECT.fullmatch(visit.path):
        return project_page(visit, visit.site.project(match[1].upper(), visit.person))
    if match := _ISSUE.fullmatch(visit.path):
        issue = visit.site.issue(match[1], visit.person)
        if issue.key != match[1].upper():
            return redirect(f"/browse/{issue.key}")
        return issue_page(visit, issue)
    return None


def _write(visit: Visit) -> Answer | None:
    if visit.path == "/person":
        return _act_as(visit)
    if match := _NEW_ISSUE.fullmatch(visit.path):
        given = {
            "project": {"key": match[1].upper()},
            "issuetype": {"name": "Task"},
            "summary": visit.form.get("summary", ""),
        }
        issue = issues.create(visit.site, visit.person, {"fields": given}, version="2")
        return redirect(f"/browse/{issue.key}")
    if match := _PROJECT_ACTION.fullmatch(visit.path):
        key = visit.site.project(match[1].upper(), visit.person).key
        (visit.jira.archive if match[2] == "archive" else visit.jira.restore)(key)
        return redirect(f"/projects/{key}")
    if (match := _TROUBLE.fullmatch(visit.path)) and (trouble := _TROUBLES.get(match[1])):
        trouble(visit.jira)
        return redirect("/")
    if (match := _ACTION.fullmatch(visit.path)) and (action := _ACTIONS.get(match[2])):
        issue = visit.site.issue(match[1], visit.person)
        action(visit, issue)
        is_gone = issue.id not in visit.site.issues
        return redirect(
            f"/projects/{issue.key.partition('-')[0]}" if is_gone else f"/browse/{issue.key}"
        )
    return None


def _act_as(visit: Visit) -> Answer:
    chosen = visit.site.people.get(visit.form.get("person", ""), visit.person)
    back = visit.form.get("back", "/")
    is_ours = back.startswith("/") and not back.startswith(("//", "/\\"))
    cookie = f"{_COOKIE}={chosen.name}; Path=/; HttpOnly; SameSite=Strict"
    return redirect(quote(back) if is_ours else "/", {"Set-Cookie": cookie})


def _comment(visit: Visit, issue: Issue) -> None:
    comments.add(visit.site, visit.person, issue, {"body": visit.form.get("text")}, version="2")


def _change_status(visit: Visit, issue: Issue) -> None:
    chosen = visit.form.get("step", "")
    steps = workflow.steps_from_here(visit.site, visit.person, issue)
    said = next((workflow.what_people_say(step) for step in steps if step.id == chosen), {})
    workflow.take(visit.site, visit.person, issue, chosen, said, version="2")


def _assign(visit: Visit, issue: Issue) -> None:
    person = visit.site.people.get(visit.form.get("person", ""))
    value = None
    if person:
        value = {"accountId": person.account_id} if visit.site.is_cloud else {"name": person.name}
    issues.edit(visit.site, visit.person, issue, {"assignee": value}, version="2")


def _rename(visit: Visit, issue: Issue) -> None:
    fields = {"summary": visit.form.get("summary", "")}
    issues.edit(visit.site, visit.person, issue, fields, version="2")


def _delete(visit: Visit, issue: Issue) -> None:
    issues.delete(visit.site, visit.person, issue)


_ACTIONS: dict[str, Callable[[Visit, Issue], None]] = {
    "comment": _comment,
    "status": _change_status,
    "assignee": _assign,
    "summary": _rename,
    "delete": _delete,
}


_TROUBLES: dict[str, Callable[[Levers], None]] = {
    "revoke-token": Levers.revoke_token,
    "restore-token": Levers.restore_token,
    "slow-down": Levers.slow_down,
    "speed-up": Levers.speed_up,
}


def _problem(visit: Visit, refused: Refused) -> Answer:
    """What the site said no to, on the issue where it happened."""
    words = " ".join((*refused.messages, *refused.errors.values()))
    match = _ACTION.fullmatch(visit.path)
    issue = visit.site.find_issue(match[1]) if match else None
    if issue is not None:
        return issue_page(visit, issue, words)
    return page(
        visit, "Not possible", tag("h1", "Not possible"), tag("p", words), status=refused.status
    )
