"""Tickets on their way to Jira: a toast that waits for them, and the chips that follow it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.toasts import toast
from findings.models import Finding
from findings.views.action_forms import back
from ticketing import outbox
from ticketing.issues import Sync, issues_by_case, sync_of
from ticketing.models import Case, ExternalIssue
from ticketing.services import MAX_FINDINGS
from ticketing.states import WAITING, State
from ticketing.views.case_lookup import case_url

SOON, LATER = 15, 40
"""After so many looks they become rarer; after so many the toast no longer waits."""


def say_created(request: HttpRequest, cases: Sequence[Case], *, in_jira: bool) -> None:
    if in_jira:
        say_creating(request, cases)
    elif len(cases) == 1:
        toast(request, f"Ticket {cases[0].key} created", link=("View ticket", case_url(cases[0])))
    else:
        keys = f"{cases[0].key} to {cases[-1].key}"
        messages.success(request, f"{len(cases)} tickets created: {keys}")


def say_creating(request: HttpRequest, cases: Sequence[Case]) -> None:
    """A toast that stays until Jira has them, or has refused them."""
    toast(
        request,
        _creating(len(cases)),
        level=messages.INFO,
        link=("View case", case_url(cases[0])) if len(cases) == 1 else None,
        progress_url=_progress_url([case.key for case in cases], look=1),
    )


@require(Permission.CASES_READ)
@require_GET
def show_progress(request: HttpRequest) -> HttpResponse:
    keys = _keys(request.GET.get("cases", ""))
    look = request.GET.get("look", "")
    cases = list(Case.objects.filter(key__in=keys).order_by("project", "number"))
    issues = issues_by_case([case.pk for case in cases])
    pairs = [(case, issues[case.pk]) for case in cases if case.pk in issues]
    toast_ = _toast(pairs, keys, look=int(look) if look.isdecimal() and len(look) < 5 else LATER)
    attached = Finding.objects.filter(ticket_key__in=keys).defer("description", "attributes")
    context = {"toast": toast_, "findings": attached[:MAX_FINDINGS], "waiting": _waiting(pairs)}
    return render(request, "ticketing/_progress.html", context)


@require(Permission.CASES_WRITE)
@require_POST
def retry_tickets(request: HttpRequest) -> HttpResponse:
    """Try those of these cases' issues once more that were refused."""
    cases = list(Case.objects.filter(key__in=_keys(request.POST.get("cases", ""))))
    issues = issues_by_case([case.pk for case in cases])
    tried = [
        case
        for case in cases
        if case.pk in issues and outbox.retry_now(issues[case.pk], actor=signed_in(request))
    ]
    if tried:
        say_creating(request, tried)
    else:
        messages.warning(request, "There was nothing to retry.")
    return back(request)


Pairs = Sequence[tuple[Case, ExternalIssue]]


def _toast(pairs: Pairs, keys: Sequence[str], *, look: int) -> dict[str, Any]:
    if any(issue.state in WAITING for _, issue in pairs):
        return _still_waiting(len(pairs), keys, look=look)
    if not pairs:
        return {"tone": "info", "icon": "info", "title": "No ticket is on its way to Jira"}
    refused = [(case, issue) for case, issue in pairs if issue.state == State.BLOCKED]
    created = [issue.issue_key for _, issue in pairs if issue.state == State.CREATED]
    if refused:
        return _refused(refused, len(pairs))
    title = (
        f"Ticket {created[0]} created" if len(created) == 1 else f"{len(created)} tickets created"
    )
    link = case_url(pairs[0][0]) if len(pairs) == 1 else ""
    text = "" if len(created) == 1 else f"{', '.join(created[:3])}{'…' if created[3:] else ''}"
    shown = {"title": title, "text": text, "link_url": link, "link_label": "View ticket"}
    return {"tone": "ok", "icon": "circle-check", **shown}


def _refused(refused: Pairs, number: int) -> dict[str, Any]:
    case, issue = refused[0]
    made = number - len(refused)
    title = f"{made} of {number} tickets created" if number > 1 else f"{case.key} is not in Jira"
    text = f"{len(refused)} failed: {issue.reason}" if number > 1 else issue.reason
    return {
        "tone": "bad",
        "icon": "circle-x",
        "title": title,
        "text": text,
        "link_url": case_url(case),
        "link_label": f"View {case.key}",
        "undo_url": reverse("ticketing:ticket-retry"),
        "undo_label": "Retry",
        "undo_data": {"cases": ",".join(case.key for case, _ in refused)},
    }


def _still_waiting(number: int, keys: Sequence[str], *, look: int) -> dict[str, Any]:
    shown = {"tone": "info", "icon": "refresh-cw", "title": _creating(number)}
    if look >= LATER:
        text = "This is taking longer than usual. The case will say when the ticket is there."
        return {**shown, "text": text}
    delay = "1s" if look < SOON else "5s"
    return {
        **shown,
        "progress_url": _progress_url(keys, look=look + 1),
        "progress_delay": delay,
    }


def _waiting(pairs: Pairs) -> dict[str, Sync]:
    return {case.key: sync_of(issue) for case, issue in pairs if issue.state != State.CREATED}


def _creating(number: int) -> str:
    return "Creating the ticket in Jira…" if number == 1 else f"Creating {number} tickets in Jira…"


def _progress_url(keys: Sequence[str], *, look: int) -> str:
    said = urlencode({"cases": ",".join(keys), "look": look})
    return f"{reverse('ticketing:ticket-progress')}?{said}"


def _keys(text: str) -> list[str]:
    return [key for key in text.replace("\0", "").split(",")[:MAX_FINDINGS] if key]
