"""What people decide about findings themselves: muted, whose, in which status, in the Inbox."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.accounts.undo.acts import Recording, undo_url
from config.lib.toasts import toast
from config.lib.utc import day_text
from findings import inbox, overrides, services, undo
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
from findings.undo import recorded
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
    actor, said = signed_in(request), form.cleaned_data
    words = {"reason": said["reason"], "description": said["description"], "until": form.until}
    with recorded(undo.MUTE, chosen.pks, actor=actor) as recording:
        number = services.mute(chosen.pks, **words, actor=actor)
    _say(request, f"{count_label(number)} muted", recording, text=_how_long(form), icon="bell-off")
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
    assignee, actor = form.cleaned_data["assignee"], signed_in(request)
    with recorded(undo.ASSIGN, chosen.pks, actor=actor) as recording:
        number = services.assign(chosen.pks, assignee=assignee, actor=actor)
    whom = f"assigned to {assignee.name}" if assignee else "assigned to nobody"
    _say(request, f"{count_label(number)} {whom}", recording, icon="user-round")
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
    status, actor = form.cleaned_data["status"], signed_in(request)
    with recorded(undo.STATUS, chosen.pks, actor=actor) as recording:
        number = services.change_status(chosen.pks, status=status, actor=actor)
    _say(request, f"Status of {count_label(number)} changed", recording)
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
        text = "It stays, whatever the scanner says later, until you reset it to the scanner's."
        return render_action_form(
            request, chosen.hidden, form, title=title, label="Change severity", text=text
        )
    actor, said = signed_in(request), form.cleaned_data
    words = {"severity": said["severity"], "description": said["description"]}
    with recorded(undo.SEVERITY, chosen.pks, actor=actor) as recording:
        number = overrides.change_severity(chosen.pks, **words, actor=actor)
    _say(request, f"Severity of {count_label(number)} changed", recording)
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
    choice, actor = form.cleaned_data["inbox"], signed_in(request)
    with recorded(undo.INBOX, chosen.pks, actor=actor) as recording:
        number = inbox.choose(chosen.pks, choice=choice, actor=actor)
    is_in = choice == InboxChoice.ADDED
    what = "added to the Security Inbox" if is_in else "removed from the Security Inbox"
    _say(request, f"{count_label(number)} {what}", recording, icon="inbox")
    return back(request, gone=chosen.gone)


def _how_long(form: MuteForm) -> str:
    return f"Until {day_text(form.until)}." if form.until else ""


def _say(
    request: HttpRequest, title: str, recording: Recording, *, text: str = "", icon: str = ""
) -> None:
    """What was done, with Undo if anything was."""
    toast(request, title, text, icon=icon, undo_url=undo_url(recording.act))
