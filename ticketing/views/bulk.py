"""Deeds on everything that a search finds: asked for, followed, stopped, taken up again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission, lowest_role_with
from config.lib.statement_timeout import SECONDS, QueryTimeout, statement_timeout
from findings.columnar.pinned import pinned
from findings.forms import Everything, count_label
from findings.views.action_forms import back, render_action_form
from ticketing import bulk, outbox
from ticketing.allowed_spaces import SpaceClosed
from ticketing.bulk_groups import in_groups
from ticketing.bulk_progress import (
    MOST_SHOWN,
    Progress,
    failures_of,
    left_by,
    progress_of,
    refused_issues,
    tickets_of,
)
from ticketing.bulk_undo import act_offered, undo_of
from ticketing.forms.bulk import FORMS
from ticketing.forms.tickets import TicketForm
from ticketing.models import BulkRun
from ticketing.services import MAX_FINDINGS

T = TypeVar("T")
Deed = BulkRun.Deed
_TITLES = {
    Deed.TICKETS: ("Create a ticket for each of {}", "Create tickets"),
    Deed.ATTACH: ("Attach {} to a ticket", "Attach"),
    Deed.MUTE: ("Mute {}", "Mute"),
    Deed.ASSIGN: ("Assign {}", "Assign"),
    Deed.STATUS: ("Change the status of {}", "Change status"),
    Deed.SEVERITY: ("Change the severity of {}", "Change severity"),
}
_TEXT = "Everything that the search finds now. It continues if you close this page."
MOST_RUNS = 50


@require(Permission.FINDINGS_WRITE)
@require_POST
def start_run(request: HttpRequest, deed: str) -> HttpResponse:
    if deed not in bulk.NEEDS:
        raise Http404
    _require(request, bulk.NEEDS[deed])
    everything = Everything(request.POST)
    pks = _found(request, everything)
    if not pks:
        return back(request)
    form = _form(request, deed, len(pks))
    if form.is_valid() and (change := everything.change(len(pks))):
        form.add_error(None, change)
    if not form.is_valid():
        title, label = _TITLES[Deed(deed)]
        if request.POST.get("per"):
            title = "Create tickets for {}"
        title = title.format(count_label(len(pks)))
        hidden = everything.hidden(len(pks))
        return render_action_form(request, hidden, form, title=title, label=label, text=_TEXT)
    try:
        _start(request, deed, everything, form, pks)
    except SpaceClosed as closed:
        messages.error(request, f"Nothing was started. {closed}")
    return back(request)


def _form(request: HttpRequest, deed: str, number: int) -> forms.Form:
    of_tickets = {"per": request.POST.get("per", "")} if deed == Deed.TICKETS else {}
    data = request.POST if "save" in request.POST else None
    return FORMS[deed](data, number=number, **of_tickets)


@require(Permission.CASES_WRITE)
@require_POST
def ask_for_one_ticket(request: HttpRequest) -> HttpResponse:
    """One ticket for all that is found, if a ticket takes as many; asked as for selected ones."""
    everything = Everything(request.POST)
    ids = _patiently(request, lambda: everything.ids(most=MAX_FINDINGS))
    if ids is None:
        return back(request)
    if not ids or len(ids) > MAX_FINDINGS:
        said = f"A ticket takes up to {MAX_FINDINGS} findings at once; the search finds "
        messages.error(request, said + ("more." if ids else "none."))
        return back(request)
    form = TicketForm(None, number=len(ids), each=False)
    hidden = [("finding", each) for each in ids]
    text = f"A single ticket that links {count_label(len(ids))}."
    return render_action_form(
        request, hidden, form, title="Create a ticket", label="Create ticket", text=text,
        action=reverse("ticketing:ticket-create"),
    )  # fmt: skip


@require(Permission.FINDINGS_READ)
@require_GET
def list_runs(request: HttpRequest) -> HttpResponse:
    runs = BulkRun.objects.select_related("actor")[:MOST_RUNS]
    return render(request, "ticketing/bulk_runs.html", {"runs": runs})


@require(Permission.FINDINGS_READ)
@require_GET
def show_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _run(run_id)
    context = {
        "run": run,
        "progress": progress_of(run),
        "failures": failures_of(run),
        "most": MOST_SHOWN,
        "refused": refused_issues(run).select_related("case").order_by("created_at")[:MOST_SHOWN],
        "tickets": tickets_of(run)[:MOST_SHOWN],
        "left": left_by(run),
        "may_change": signed_in(request).may(bulk.permission_of(run)),
        "undo_act": act_offered(run, signed_in(request)),
        "undone": undo_of(run),
    }
    in_page = "HX-Request" in request.headers
    return render(request, f"ticketing/{'_bulk_run' if in_page else 'bulk_run'}.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
def show_strip(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """How far it is, over the explorer's list; the answer that says it is over is announced."""
    run = _run(run_id)
    context = {
        "progress": progress_of(run),
        "next": getattr(request, "htmx").current_url_abs_path,  # noqa: B009  of the middleware
        "announces": True,
        "undo_act": act_offered(run, signed_in(request)),
    }
    return render(request, "ticketing/_bulk_strip.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
def show_toast(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """How far it is, in place of the toast that asks; it asks again until it is over."""
    run = _run(run_id)
    return render(request, "components/toast.html", {"toast": _toast(progress_of(run))})


@require(Permission.FINDINGS_WRITE)
@require_POST
def change_run(request: HttpRequest, run_id: UUID, deed: str) -> HttpResponse:
    run = _run(run_id)
    if deed not in ("stop", "retry", "dismiss"):
        raise Http404
    _require(request, bulk.permission_of(run))
    actor = signed_in(request)
    if deed == "stop" and not bulk.stop(run, reason=f"Stopped by {actor.name}."):
        messages.warning(request, "It had already ended.")
    elif deed == "retry" and not _try_again(run, request):
        messages.warning(request, "There was nothing left to retry.")
    elif deed == "dismiss":
        bulk.put_away(run)
    return back(request) if request.POST.get("next") else redirect("ticketing:bulk-show", run.pk)


def _try_again(run: BulkRun, request: HttpRequest) -> bool:
    refused = list(refused_issues(run)[:MOST_SHOWN])
    tried = [outbox.retry_now(issue, actor=signed_in(request)) for issue in refused]
    progress = progress_of(run)
    left = progress.failed or progress.waiting
    return bool(left and bulk.go_on(run, actor=signed_in(request))) or any(tried)


def _start(
    request: HttpRequest, deed: str, everything: Everything, form: forms.Form, pks: list[int]
) -> BulkRun:
    asked: dict[str, Any] = {
        "said": form.said,  # type: ignore[attr-defined]  # each of FORMS says it
        "finding_pks": pks,
        "search": everything.params.state,
        "actor": signed_in(request),
    }
    if names := asked["said"].get("per"):
        in_order = everything.with_values(names, most=bulk.MOST)
        asked["finding_pks"], asked["said"]["starts"] = in_groups(in_order)
    if deed == Deed.ATTACH:
        found, place = form.cleaned_data["key"], form.destination  # type: ignore[attr-defined]
        return bulk.start_attaching(everything.run_id, found, place, **asked)
    return bulk.start(everything.run_id, deed=deed, **asked)


def _found(request: HttpRequest, everything: Everything) -> list[int]:
    """What the search finds; none, and a message, where that is no use."""
    pks = _patiently(request, lambda: everything.pks(most=bulk.MOST))
    if pks is None:
        return []
    if len(pks) > bulk.MOST:
        messages.error(
            request, f"A bulk run takes up to {bulk.MOST:,} findings. Narrow the search first."
        )
        return []
    if not pks:
        messages.error(request, "The search no longer finds anything.")
    return pks


def _patiently(request: HttpRequest, read: Callable[[], list[T]]) -> list[T] | None:
    """What is read, or None and a message when the database takes too long."""
    try:
        with pinned(), statement_timeout():
            return read()
    except QueryTimeout:
        messages.error(request, f"The database did not answer in {SECONDS} s. Try again.")
        return None


def _run(run_id: UUID) -> BulkRun:
    return get_object_or_404(BulkRun.objects.select_related("actor"), pk=run_id)


def _toast(progress: Progress) -> dict[str, Any]:
    address = reverse("ticketing:bulk-show", args=[progress.run.pk])
    label = "Show the run"
    if progress.is_undo and progress.is_over and progress.skipped:
        label = f"Show the {progress.skipped:,}"
    said = {"title": progress.title, "tone": progress.tone, "link_url": address}
    said |= {"link_label": label, "icon": "undo-2"}
    if progress.is_over:
        icon = {"bad": "circle-x", "warn": "triangle-alert"}.get(progress.tone, "undo-2")
        return {**said, "icon": icon, "text": progress.text}
    again = reverse("ticketing:bulk-toast", args=[progress.run.pk])
    bar = {"value": progress.worked_on, "max": progress.total}
    return {**said, **bar, "progress_url": again}


def _require(request: HttpRequest, needed: Permission) -> None:
    if not signed_in(request).may(needed):
        raise PermissionDenied(f"You need the {lowest_role_with(needed).label} role to do this.")
