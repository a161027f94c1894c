"""What people decide about findings themselves: muted, whose, in which status, in the Inbox."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from findings import inbox, overrides, services
from findings.forms import (
    AssignForm,
    Chosen,
    InboxForm,
    MuteForm,
    SeverityForm,
    StatusForm,
    count_label,
)
from findings.models import InboxChoice
from findings.views.action_forms import back, nothing_chosen, render_action_form


@require(Permission.FINDINGS_WRITE)
@require_POST
def mute_findings(request: HttpRequest) -> HttpResponse:
    chosen = Chosen(request.POST)
    form = MuteForm(request.POST if "save" in request.POST else None)
    if not chosen.findings:
        return nothing_chosen(request)
    if not form.is_valid():
        return render_action_form(
            request, chosen.hidden, form, title=f"Mute {chosen.noun}", label="Mute"
        )
    number = services.mute(
        chosen.pks,
        reason=form.cleaned_data["reason"],
        description=form.cleaned_data["description"],
        until=form.until,
        actor=signed_in(request),
    )
    messages.success(request, f"{count_label(number)} muted")
    return back(request, gone=chosen.gone)


@require(Permission.FINDINGS_WRITE)
@require_POST
def assign_findings(request: HttpRequest) -> HttpResponse:
    chosen = Chosen(request.POST)
    form = AssignForm(request.POST if "save" in request.POST else None)
    if not chosen.findings:
        return nothing_chosen(request)
    if not form.is_valid():
        return render_action_form(
            request, chosen.hidden, form, title=f"Assign {chosen.noun}", label="Assign"
        )
    assignee = form.cleaned_data["assignee"]
    number = services.assign(chosen.pks, assignee=assignee, actor=signed_in(request))
    whom = f"assigned to {assignee.name}" if assignee else "assigned to nobody"
    messages.success(request, f"{count_label(number)} {whom}")
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
        return render_action_form(request, chosen.hidden, form, title=title, label="Change status")
    status = form.cleaned_data["status"]
    number = services.change_status(chosen.pks, status=status, actor=signed_in(request))
    messages.success(request, f"Status of {count_label(number)} changed")
    return back(request, gone=chosen.gone)


@require(Permission.FINDINGS_WRITE)
@require_POST
def change_severity(request: HttpRequest) -> HttpResponse:
    chosen = Chosen(request.POST)
    if not chosen.findings:
        return nothing_chosen(request)
    present = {"severity": chosen.findings[0].severity}
    form = SeverityForm(request.POST if "save" in request.POST else None, initial=present)
    if not form.is_valid():
        title = f"Change the severity of {chosen.noun}"
        text = "It holds, whatever the scanner says later, until it is given back to the scanner."
        return render_action_form(
            request, chosen.hidden, form, title=title, label="Change severity", text=text
        )
    number = overrides.change_severity(
        chosen.pks,
        severity=form.cleaned_data["severity"],
        description=form.cleaned_data["description"],
        actor=signed_in(request),
    )
    messages.success(request, f"Severity of {count_label(number)} changed")
    return back(request, gone=chosen.gone)


@require(Permission.FINDINGS_WRITE)
@require_POST
def choose_inbox(request: HttpRequest) -> HttpResponse:
    """Nothing is asked where the button has said which of the two."""
    chosen = Chosen(request.POST)
    form = InboxForm(request.POST if "inbox" in request.POST else None)
    if not chosen.findings:
        return nothing_chosen(request)
    if not form.is_valid():
        title, text = f"Security Inbox: {chosen.noun}", "No rule undoes what you choose here."
        return render_action_form(
            request, chosen.hidden, form, title=title, label="Save", text=text
        )
    choice = form.cleaned_data["inbox"]
    number = inbox.choose(chosen.pks, choice=choice, actor=signed_in(request))
    is_in = choice == InboxChoice.ADDED
    what = "added to the Security Inbox" if is_in else "taken out of the Security Inbox"
    messages.success(request, f"{count_label(number)} {what}")
    return back(request, gone=chosen.gone)
