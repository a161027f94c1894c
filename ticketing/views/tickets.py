"""Tickets of findings: what a chip tells, making one by hand, attaching, detaching."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.accounts.access import require, signed_in
from config.accounts.form_submissions import submit_once
from config.accounts.models import User
from config.accounts.roles import Permission
from config.accounts.undo.acts import undo_url
from config.lib.toasts import toast
from findings.forms import Chosen
from findings.models import Finding
from findings.selectors import finding_by_id
from findings.views.action_forms import back, nothing_chosen, render_action_form, way_back
from ticketing import services
from ticketing.allowed_spaces import SpaceClosed
from ticketing.attaching import Remote, attach_to_issue, promise_by_hand
from ticketing.attachment_undo import ATTACH, DETACH, recorded
from ticketing.case_groups import group_of
from ticketing.following import detach_note
from ticketing.forms.tickets import AttachForm, TicketForm
from ticketing.issues import issue_of, sync_of
from ticketing.models import ASSIGNEES, Attachment, Case
from ticketing.views.case_lookup import case_url
from ticketing.views.progress import say_created


@require(Permission.CASES_READ)
@require_GET
def show_popover(request: HttpRequest, finding_id: str) -> HttpResponse:
    finding = _finding(finding_id)
    attachment = _attachment_of(finding)
    case = attachment.case
    issue, others = issue_of(case), _others(case)
    context = {
        "finding": finding,
        "case": case,
        "issue": issue,
        "sync": sync_of(issue),
        "group": group_of(case),
        "others": others,
        "added_at": attachment.created_at,
        "detach_note": _note(case, others=others),
        "may_write": signed_in(request).may(Permission.CASES_WRITE),
    }
    return render(request, "ticketing/_ticket_popover.html", context)


@require(Permission.CASES_WRITE)
@require_POST
def create_tickets(request: HttpRequest) -> HttpResponse:
    chosen = Chosen(request.POST)
    if not chosen.findings:
        return nothing_chosen(request)
    save = "save" in request.POST
    each = request.POST.get("mode") == "each" and len(chosen.findings) > 1
    form = TicketForm(request.POST if save else None, number=len(chosen.findings), each=each)
    if not form.is_valid():
        number = len(chosen.findings) if each else 1
        title = "Create a ticket" if number == 1 else f"Create {number} tickets"
        text = _about(chosen, each=each)
        return render_action_form(
            request, chosen.hidden, form, title=title, label="Create ticket", text=text
        )
    try:
        return submit_once(request, lambda: _created(request, chosen, form, each=each))
    except SpaceClosed as closed:  # a moment ago: the form no longer offers it
        messages.error(request, f"No ticket was created. {closed}")
        return back(request)


def _created(request: HttpRequest, chosen: Chosen, form: TicketForm, *, each: bool) -> HttpResponse:
    cases = _create(chosen, form, each=each, actor=signed_in(request))
    say_created(request, cases, in_jira=form.place_chosen is not None)
    return back(request, gone=chosen.gone)


@require(Permission.CASES_WRITE)
@require_POST
def attach_findings(request: HttpRequest) -> HttpResponse:
    chosen = Chosen(request.POST)
    if not chosen.findings:
        return nothing_chosen(request)
    save = "save" in request.POST
    form = AttachForm(request.POST if save else None, number=len(chosen.findings))
    if not form.is_valid():
        title, text = f"Attach {chosen.noun} to a ticket", _about(chosen, each=False)
        return render_action_form(
            request, chosen.hidden, form, title=title, label="Attach", text=text
        )
    try:
        _attach(request, chosen, form)
    except SpaceClosed as closed:
        messages.error(request, f"Nothing was attached. {closed}")
        return back(request)
    return back(request, gone=chosen.gone)


@require(Permission.CASES_WRITE)
@require_http_methods(["GET", "POST"])
def detach_finding(request: HttpRequest, finding_id: str) -> HttpResponse:
    finding = _finding(finding_id)
    case = _attachment_of(finding).case
    note = _note(case, others=_others(case))
    if request.method == "POST":
        actor = signed_in(request)
        with recorded(DETACH, [finding.pk], actor=actor) as recording:
            services.detach([finding.pk], actor=actor)
        title, undone_at = f"Detached from {case.key}", undo_url(recording.act)
        link = (case.key, case_url(case))
        toast(request, title, note, icon="unlink", link=link, undo_url=undone_at)
        return back(request)
    context = {
        "question": f"Detach {case.key} from this finding?",
        "text": note,
        "label": "Detach",
        "cancel_url": way_back(request),
        "fields": [("next", way_back(request))],
    }
    return render(request, "confirm.html", context)


def _finding(finding_id: str) -> Finding:
    finding = finding_by_id(finding_id.replace("\0", ""))
    if finding is None:
        raise Http404
    return finding


def _attachment_of(finding: Finding) -> Attachment:
    attachment = (
        Attachment.objects.filter(finding=finding)
        .select_related(*(f"case__{name}" for name in ASSIGNEES), "case__created_by")
        .first()
    )
    if attachment is None:
        raise Http404
    return attachment


def _others(case: Case) -> int:
    """How many findings are on it besides one of them."""
    return case.attachments.count() - 1


def _note(case: Case, *, others: int) -> str:
    if others < 1:
        return detach_note(case)
    return f"The other {f'{others:,} stay' if others > 1 else 'one stays'} in {case.key}."


def _create(chosen: Chosen, form: TicketForm, *, each: bool, actor: User) -> list[Case]:
    place, assignee = form.place_chosen, form.cleaned_data["assignee"]
    said = {
        "project": form.project_chosen,
        "assignee": assignee,
        "actor": actor,
        "promise": promise_by_hand(place, assignee=assignee, fields=form.fields_said)
        if place
        else None,
    }
    if each:
        return services.open_case_each(chosen.pks, **said)
    return [services.open_manual_case(chosen.pks, **said)]


def _attach(request: HttpRequest, chosen: Chosen, form: AttachForm) -> None:
    """The toast names the key that the person knows it by."""
    found: Case | Remote = form.cleaned_data["key"]
    actor = signed_in(request)
    there = found if isinstance(found, Case) else None
    with recorded(ATTACH, chosen.pks, actor=actor, case=there) as recording:
        if isinstance(found, Remote) and form.destination:
            case = attach_to_issue(found, form.destination.project, chosen.pks, actor=actor)
            key = found.ref.key
        else:
            case = cast("Case", found)
            services.attach(case, chosen.pks, actor=actor)
            key = case.key
    title, link = f"{chosen.noun} attached to {key}", ("View ticket", case_url(case))
    toast(request, title, link=link, icon="link", undo_url=undo_url(recording.act))


def _about(chosen: Chosen, *, each: bool) -> str:
    """What will happen that one may not expect: findings leave the tickets they have."""
    number = len(chosen.findings)
    sentences = []
    if number > 1:
        one_for_all = f"A single ticket that links all {number} findings."
        sentences.append("A ticket of its own for each finding." if each else one_for_all)
    if held := [finding.ticket_key for finding in chosen.findings if finding.ticket_key]:
        keys = ", ".join(list(dict.fromkeys(held))[:5])
        which = "It has" if number == 1 else f"{len(held)} of them already have"
        sentences.append(f"{which} a ticket ({keys}) and will move; no ticket is deleted.")
    return " ".join(sentences)
