"""What people do about the issue that a case has in Jira."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from config.accounts.access import require, signed_in
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.toasts import toast
from findings.views.action_forms import way_back
from ticketing import due, outbox
from ticketing.allowed_spaces import SpaceClosed
from ticketing.attaching import link_issue as link
from ticketing.attaching import promise_issue
from ticketing.forms.tickets import LinkIssueForm
from ticketing.issues import issue_of
from ticketing.models import Case, Destination, ExternalIssue
from ticketing.views.case_lookup import case_or_404, case_url
from ticketing.views.cases import case_page
from ticketing.views.progress import say_creating


class _Deed(NamedTuple):
    """What is done to an issue; `do` says whether there was anything to do."""

    do: Callable[[ExternalIssue, User], object]
    said: str
    question: str = ""
    text: str = ""


def _sync(issue: ExternalIssue, _: User) -> bool:
    with transaction.atomic():
        due.mark_due([issue.case])
    return True


def _retry(issue: ExternalIssue, actor: User) -> bool:
    return outbox.retry_now(issue, actor=actor) or _sync(issue, actor)


def _unlink(issue: ExternalIssue, actor: User) -> bool:
    outbox.detach_issue(issue, actor=actor)
    return True


DEEDS: Mapping[str, _Deed] = {
    "sync": _Deed(_sync, "Sync requested"),
    "retry": _Deed(_retry, "Tried again"),
    "recreate": _Deed(lambda issue, actor: outbox.recreate(issue, actor=actor), "Being created"),
    "unlink": _Deed(
        _unlink,
        "Unlinked from Jira",
        "Unlink the issue from this case?",
        "The ticket stays in Jira but is no longer synced.",
    ),
    "cancel": _Deed(
        lambda issue, actor: outbox.cancel(issue, actor=actor),
        "Ticket in Jira cancelled",
        "Cancel the ticket in Jira?",
        "The case stays, as a case only.",
    ),
    "absent": _Deed(
        lambda issue, actor: outbox.confirm_absent(issue, actor=actor),
        "Being created again",
        "Create it again?",
        "Only do this if you have checked that it is not in Jira; otherwise there will be two.",
    ),
}


@require(Permission.CASES_WRITE)
@require_POST
def change_issue(request: HttpRequest, key: str) -> HttpResponse:
    case, name = case_or_404(key), request.POST.get("do", "")
    if name == "create":
        return _promise(request, case)
    deed, issue = DEEDS.get(name), issue_of(case)
    if deed is None or issue is None:
        return _too_late(request, case)
    if deed.question and "confirmed" not in request.POST:
        return _confirm(request, case, deed, name)
    try:
        done = deed.do(issue, signed_in(request))
    except outbox.IssueTaken:
        done = False
    except SpaceClosed as closed:
        return _closed(request, case, closed)
    if not done:
        return _too_late(request, case)
    toast(request, deed.said, issue.issue_key)
    return _back(request, case)


@require(Permission.CASES_WRITE)
@require_POST
def link_issue(request: HttpRequest, key: str) -> HttpResponse:
    case = case_or_404(key)
    form = LinkIssueForm(request.POST)
    if form.is_valid() and case.archived_at:
        form.add_error("address", f"{case.key} is archived. Unarchive it first.")
    if form.is_valid():
        try:
            issue = link(case, form.cleaned_data["address"], actor=signed_in(request))
        except (outbox.IssueTaken, SpaceClosed) as refusal:
            form.add_error("address", str(refusal))
        else:
            toast(request, f"{issue.issue_key} linked to {case.key}")
            return redirect(case_url(case))
    return case_page(request, case, issue_form=form, status=422)


def _promise(request: HttpRequest, case: Case) -> HttpResponse:
    try:
        promised = promise_issue(case)
    except Destination.DoesNotExist:
        promised = False
    except SpaceClosed as closed:
        return _closed(request, case, closed)
    if not promised:
        return _too_late(request, case)
    say_creating(request, [case])
    return redirect(case_url(case))


def _closed(request: HttpRequest, case: Case, closed: SpaceClosed) -> HttpResponse:
    messages.error(request, f"Nothing was done. {closed}")
    return redirect(case_url(case))


def _too_late(request: HttpRequest, case: Case) -> HttpResponse:
    words = "Nothing was done: it changed in the meantime. This is its current state."
    messages.warning(request, words)
    return redirect(case_url(case))


def _back(request: HttpRequest, case: Case) -> HttpResponse:
    return redirect(way_back(request) if request.POST.get("next") else case_url(case))


def _confirm(request: HttpRequest, case: Case, deed: _Deed, name: str) -> HttpResponse:
    context = {
        "question": deed.question,
        "text": deed.text,
        "label": "Continue",
        "cancel_url": case_url(case),
        "fields": [("do", name)],
    }
    return render(request, "confirm.html", context)
