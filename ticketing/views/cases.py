"""The page of a case, and everything people do with it."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.accounts.access import require, signed_in
from config.accounts.form_submissions import submit_once
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.elapsed import when_text
from config.lib.toasts import toast
from ticketing import details, services
from ticketing.case_findings import linked_findings
from ticketing.case_groups import shown_group
from ticketing.close_reasons import CloseReason
from ticketing.forms.cases import (
    ChangeCaseForm,
    CommentForm,
    DueDateForm,
    EditCaseForm,
    LinkFindingsForm,
    MoveCaseForm,
    NewCaseForm,
)
from ticketing.forms.tickets import LinkIssueForm
from ticketing.issues import (
    destination_of_case,
    is_held,
    issue_of,
    posted_to,
    shared_comments,
    sync_of,
)
from ticketing.models import Case, Project, TimelineEntry
from ticketing.outbox import left_out_of
from ticketing.selectors import open_finding_count, timeline
from ticketing.timeline import CaseChanged
from ticketing.views.case_lookup import case_or_404, case_url

ENTRIES = 100
ACTIVITIES = {
    "comments": (TimelineEntry.Kind.COMMENT,),
    "sync": (TimelineEntry.Kind.ISSUE, TimelineEntry.Kind.CONFLICT),
}


@require(Permission.CASES_WRITE)
@require_http_methods(["GET", "POST"])
def create_case(request: HttpRequest) -> HttpResponse:
    form = NewCaseForm(request.POST if request.method == "POST" else None, initial=_first(request))
    if not form.is_valid():
        context = {"form": form, "projects": Project.objects.exists()}
        context["may_create_project"] = signed_in(request).may(Permission.PROJECTS_WRITE)
        status = 422 if form.is_bound else 200
        return render(request, "ticketing/case_new.html", context, status=status)
    return submit_once(request, lambda: _create(request, **form.cleaned_data))


def _create(request: HttpRequest, *, findings: list[int], **said: Any) -> HttpResponse:
    case = services.open_manual_case(findings, **said, actor=signed_in(request))
    toast(request, f"Case {case.key} created")
    return _to(case)


@require(Permission.CASES_READ)
@require_GET
def show_case(request: HttpRequest, key: str) -> HttpResponse:
    case = case_or_404(key)
    if case.key != key:
        return _to(case)
    return case_page(request, case)


@require(Permission.CASES_WRITE)
@require_POST
def change_case(request: HttpRequest, key: str) -> HttpResponse:
    case = case_or_404(key)
    form = ChangeCaseForm(request.POST)
    if not form.is_valid():
        wrong = (str(said) for errors in form.errors.values() for said in errors)
        messages.error(request, f"Not changed. {' '.join(wrong)}")
        return _to(case)
    try:
        seen = form.cleaned_data["seen"]
        now = services.change_case(case, **form.changes, seen=seen, actor=signed_in(request))
    except CaseChanged as change:
        toast(request, "Not changed", said_of(change), level=messages.ERROR)
    else:
        if now.status != case.status:
            toast(
                request,
                f"{case.key} is {now.get_status_display()}",
                closing_hint(now) if now.status == Case.Status.CLOSED else "",
            )
    return _to(case)


@require(Permission.CASES_WRITE)
@require_http_methods(["GET", "POST"])
def edit_case(request: HttpRequest, key: str) -> HttpResponse:
    case = case_or_404(key)
    if request.method == "GET":
        words = {name: getattr(case, name) for name in ("title", "description")}
        said = {**words, "due_date": case.own_due_date, "seen": case.modified_at.isoformat()}
        form = EditCaseForm(initial=said)
        return render(request, "ticketing/case_edit.html", {"case": case, "form": form})
    form = EditCaseForm(request.POST)
    status = 422
    if form.is_valid():
        try:
            return submit_once(request, lambda: _edit(request, case, form))
        except CaseChanged as change:
            status = 409
            form.show_conflict(said_of(change), at=change.entry.created_at)
    return render(request, "ticketing/case_edit.html", {"case": case, "form": form}, status=status)


def _edit(request: HttpRequest, case: Case, form: EditCaseForm) -> HttpResponse:
    with transaction.atomic():
        services.change_case(case, **form.words, actor=signed_in(request))
        if form.says_due_date(case):
            said = {name: form.cleaned_data[name] for name in ("due_date", "seen")}
            details.set_due_date(case, **said, actor=signed_in(request))
    return _to(case)


@require(Permission.CASES_WRITE)
@require_POST
def set_due_date(request: HttpRequest, key: str) -> HttpResponse:
    case, form = case_or_404(key), DueDateForm(request.POST)
    if not form.is_valid():
        wrong = (str(said) for errors in form.errors.values() for said in errors)
        toast(request, "Due date not changed", " ".join(wrong), level=messages.ERROR)
        return _to(case)
    try:
        # "Clear" is a button beside the field.
        day = None if "clear" in request.POST else form.cleaned_data["due_date"]
        details.set_due_date(case, day, seen=form.cleaned_data["seen"], actor=signed_in(request))
    except CaseChanged as change:
        toast(request, "Due date not changed", said_of(change), level=messages.ERROR)
    return _to(case)


@require(Permission.CASES_WRITE)
@require_POST
def move_case(request: HttpRequest, key: str) -> HttpResponse:
    case = case_or_404(key)
    form = MoveCaseForm(request.POST)
    if not form.is_valid():
        messages.error(request, "That project does not exist.")
        return _to(case)
    project: Project = form.cleaned_data["project"]
    if "confirmed" not in request.POST:
        text = f"It takes the next key of {project.name}. {case.key} still leads to it."
        question = f"Move {case.key} to {project.name}?"
        sent = [("project", str(project.pk))]
        return _confirm(request, case, question, text, label="Move case", fields=sent)
    moved = services.move(case, project, actor=signed_in(request))
    if moved.key != case.key:
        toast(request, f"{case.key} is now {moved.key}")
    return _to(moved)


@require(Permission.CASES_WRITE)
@require_http_methods(["GET", "POST"])
def archive_case(request: HttpRequest, key: str) -> HttpResponse:
    case = case_or_404(key)
    if request.method == "GET":
        text = "It leaves the list and keeps its findings and its history."
        return _confirm(request, case, f"Archive {case.key}?", text, label="Archive case")
    services.archive(case, actor=signed_in(request))
    undo = reverse("ticketing:case-unarchive", args=[case.key])
    toast(request, f"{case.key} archived", undo_url=undo)
    return _to(case)


@require(Permission.CASES_WRITE)
@require_http_methods(["GET", "POST"])
def unarchive_case(request: HttpRequest, key: str) -> HttpResponse:
    case = case_or_404(key)
    if request.method == "GET":
        text = "It comes back into the list."
        return _confirm(request, case, f"Unarchive {case.key}?", text, label="Unarchive case")
    services.unarchive(case, actor=signed_in(request))
    toast(request, f"{case.key} unarchived")
    return _to(case)


def case_page(request: HttpRequest, case: Case, *, status: int = 200, **forms: Any) -> HttpResponse:
    me = signed_in(request)
    may_write = me.may(Permission.CASES_WRITE)
    shown = request.GET.get("activity", "")
    linked = linked_findings(case, page=_page_number(request))
    told = timeline(case, kinds=ACTIVITIES.get(shown, ()))
    issue, destination = issue_of(case), destination_of_case(case)
    context = {
        "case": case,
        "linked": linked,
        "group": shown_group(case, size=linked.total),
        "closing_hint": closing_hint(case),
        "entries": told if "all" in request.GET else told[:ENTRIES],
        "more": told.count() - ENTRIES if "all" not in request.GET else 0,
        "activity": shown if shown in ACTIVITIES else "",
        "issue": issue,
        "destination": destination,
        "sync": sync_of(issue),
        "held": bool(issue and is_held(issue)),
        "left_out": left_out_of(issue),
        "shared_comments": shared_comments(issue) if issue else 0,
        "posted_to": posted_to(issue, destination),
        "issue_form": LinkIssueForm(),
        "may_write": may_write,
        "may_write_projects": me.may(Permission.PROJECTS_WRITE),
        "wont_fix": [(each.value, each.label) for each in CloseReason if each.is_wont_fix],
        "may_audit": me.may(Permission.AUDIT_READ),
        "people": User.objects.filter(is_active=True) if may_write else [],
        "projects": Project.objects.all() if may_write else [],
        "comment_form": CommentForm(),
        "link_form": LinkFindingsForm(),
        **forms,
    }
    return render(request, "ticketing/case.html", context, status=status)


def _confirm(
    request: HttpRequest, case: Case, question: str, text: str, *, label: str, **more: Any
) -> HttpResponse:
    context = {
        "question": question,
        "text": text,
        "label": label,
        "cancel_url": case_url(case),
        **more,
    }
    return render(request, "confirm.html", context)


def closing_hint(*cases: Case) -> str:
    number = open_finding_count(cases)
    if number == 1:
        return "1 finding is still open. Closing the case does not close it."
    closing = "the case" if len(cases) == 1 else "cases"
    says = f"{number:,} findings are still open. Closing {closing} does not close them."
    return says if number else ""


def said_of(change: CaseChanged) -> str:
    entry = change.entry
    by = entry.actor.name if entry.actor else "The system"
    what = entry.kind.replace("_", " ")
    return f"{by} changed the {what} of this case {when_text(entry.created_at)}."


def _page_number(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 1


def _first(request: HttpRequest) -> dict[str, str]:
    """What a link to the form brings along: a project, findings."""
    return {
        "project": request.GET.get("project", ""),
        "findings": "\n".join(request.GET.getlist("finding")),
    }


def _to(case: Case) -> HttpResponse:
    return redirect(case_url(case))
