"""What people decide about findings themselves: muted, whose, in which status."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from findings import services
from findings.forms import AssignForm, Chosen, MuteForm, StatusForm, said_of
from findings.views.asking import ask, back, nothing_chosen


@require(Permission.FINDINGS_WRITE)
@require_POST
def mute_findings(request: HttpRequest) -> HttpResponse:
    chosen = Chosen(request.POST)
    form = MuteForm(request.POST if "save" in request.POST else None)
    if not chosen.findings:
        return nothing_chosen(request)
    if not form.is_valid():
        return ask(request, chosen.hidden, form, title=f"Mute {chosen.noun}", label="Mute")
    number = services.mute(
        chosen.pks,
        reason=form.cleaned_data["reason"],
        description=form.cleaned_data["description"],
        until=form.until,
        actor=signed_in(request),
    )
    messages.success(request, f"{said_of(number)} muted")
    return back(request, gone=chosen.gone)


@require(Permission.FINDINGS_WRITE)
@require_POST
def assign_findings(request: HttpRequest) -> HttpResponse:
    chosen = Chosen(request.POST)
    form = AssignForm(request.POST if "save" in request.POST else None)
    if not chosen.findings:
        return nothing_chosen(request)
    if not form.is_valid():
        return ask(request, chosen.hidden, form, title=f"Assign {chosen.noun}", label="Assign")
    assignee = form.cleaned_data["assignee"]
    number = services.assign(chosen.pks, assignee=assignee, actor=signed_in(request))
    whom = f"assigned to {assignee.name}" if assignee else "assigned to nobody"
    messages.success(request, f"{said_of(number)} {whom}")
    return back(request, gone=chosen.gone)


@require(Permission.FINDINGS_WRITE)
@require_POST
def change_status(request: HttpRequest) -> HttpResponse:
    chosen = Chosen(request.POST)
    form = StatusForm(request.POST if "save" in request.POST else None)
    if not chosen.findings:
        return nothing_chosen(request)
    if not form.is_valid():
        title = f"Change the status of {chosen.noun}"
        return ask(request, chosen.hidden, form, title=title, label="Change status")
    status = form.cleaned_data["status"]
    number = services.change_status(chosen.pks, status=status, actor=signed_in(request))
    messages.success(request, f"Status of {said_of(number)} changed")
    return back(request, gone=chosen.gone)
