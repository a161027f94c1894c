"""What people say on a case: written, edited, deleted, and what it said before."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.accounts.access import require, signed_in
from config.accounts.form_submissions import submit_once
from config.accounts.roles import Permission
from config.lib.toasts import toast
from ticketing import commenting, services
from ticketing.forms.cases import CommentForm, EditCommentForm, seen_at
from ticketing.issues import comment_goes_to
from ticketing.models import Case, TimelineEntry
from ticketing.views.case_lookup import case_or_404, case_url
from ticketing.views.cases import case_page

_MAX_ID = 2**63 - 1


@require(Permission.CASES_WRITE)
@require_POST
def comment_case(request: HttpRequest, key: str) -> HttpResponse:
    case = case_or_404(key)
    form = CommentForm(request.POST)
    if not form.is_valid():
        return case_page(request, case, comment_form=form, status=422)
    return submit_once(request, lambda: _comment(request, case, form.cleaned_data["text"]))


def _comment(request: HttpRequest, case: Case, text: str) -> HttpResponse:
    services.comment(case, text, actor=signed_in(request))
    return redirect(f"{case_url(case)}#activity")


@require(Permission.CASES_WRITE)
@require_http_methods(["GET", "POST"])
def edit_comment(request: HttpRequest, key: str, entry_id: int) -> HttpResponse:
    case, me = case_or_404(key), signed_in(request)
    entry = _entry(case, entry_id)
    if request.method == "GET":
        if refusal := commenting.refusal_of(entry, me):
            return _refused(request, case, refusal)
        form = EditCommentForm(initial={"text": entry.after, "seen": entry.changed_at.isoformat()})
        return _edit_page(request, case, entry, form)
    form, status = EditCommentForm(request.POST), 422
    if form.is_valid():
        try:
            commenting.edit_comment(entry, **form.cleaned_data, actor=me)
        except commenting.Refusal as refusal:
            status = 409  # what was typed is kept
            form.show_refusal(refusal)
        else:
            return _to(case, entry)
    return _edit_page(request, case, _entry(case, entry_id), form, status=status)


@require(Permission.CASES_WRITE)
@require_http_methods(["GET", "POST"])
def delete_comment(request: HttpRequest, key: str, entry_id: int) -> HttpResponse:
    case, me = case_or_404(key), signed_in(request)
    entry = _entry(case, entry_id)
    if request.method == "GET":
        refusal = commenting.refusal_of(entry, me)
        return _refused(request, case, refusal) if refusal else _confirm(request, case, entry)
    try:
        commenting.delete_comment(entry, actor=me, seen=seen_at(_seen(request)))
    except commenting.Refusal as refusal:
        return _refused(request, case, refusal)
    toast(request, "Comment deleted")
    return _to(case, entry)


@require(Permission.AUDIT_READ)
@require_GET
def show_revisions(request: HttpRequest, key: str, entry_id: int) -> HttpResponse:
    """For who may read the audit log: what was deleted may be a secret."""
    case = case_or_404(key)
    entry = _entry(case, entry_id)
    revisions = entry.revisions.select_related("actor")
    context = {"case": case, "entry": entry, "revisions": revisions}
    return render(request, "ticketing/comment_revisions.html", context)


def _entry(case: Case, entry_id: int) -> TimelineEntry:
    comments = case.timeline.filter(kind=TimelineEntry.Kind.COMMENT).select_related("actor")
    return get_object_or_404(comments, pk=min(entry_id, _MAX_ID))


def _edit_page(
    request: HttpRequest, case: Case, entry: TimelineEntry, form: Any, *, status: int = 200
) -> HttpResponse:
    context = {"case": case, "entry": entry, "form": form, "goes_to": comment_goes_to(entry)}
    return render(request, "ticketing/comment_edit.html", context, status=status)


def _confirm(request: HttpRequest, case: Case, entry: TimelineEntry) -> HttpResponse:
    goes_to = comment_goes_to(entry)
    context = {
        "question": "Delete this comment?",
        "text": f"It is deleted in {goes_to}, too." if goes_to else "Its text is gone for readers.",
        "label": "Delete comment",
        "fields": [("seen", entry.changed_at.isoformat())],
        "cancel_url": case_url(case),
    }
    return render(request, "confirm.html", context)


def _seen(request: HttpRequest) -> str:
    """As the page or the link of the dialog says it."""
    data: QueryDict = request.POST if "seen" in request.POST else request.GET
    return data.get("seen", "")


def _refused(request: HttpRequest, case: Case, refusal: commenting.Refusal) -> HttpResponse:
    toast(request, "Comment not changed", str(refusal), level=messages.ERROR)
    return redirect(f"{case_url(case)}#activity")


def _to(case: Case, entry: TimelineEntry) -> HttpResponse:
    return redirect(f"{reverse('ticketing:case-show', args=[case.key])}#comment-{entry.pk}")
