"""What people do with the findings of a case: attach some, detach some, give some their own."""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from config.accounts.access import require, signed_in
from config.accounts.form_submissions import submit_once
from config.accounts.roles import Permission
from config.accounts.undo.acts import undo_url
from config.lib.toasts import toast
from config.lib.ui_tags import SUBMISSION_ID
from ticketing import services
from ticketing.allowed_spaces import SpaceClosed
from ticketing.attachment_undo import ATTACH, DETACH, SPLIT, recorded
from ticketing.case_groups import group_of
from ticketing.following import detach_note
from ticketing.forms.cases import LinkFindingsForm
from ticketing.group_text import number
from ticketing.issues import issue_of
from ticketing.models import Attachment, Case
from ticketing.splitting import CannotSplit, require_some_left, split
from ticketing.views.case_lookup import case_or_404, case_url
from ticketing.views.cases import case_page
from ticketing.views.progress import say_creating


class _Chosen(NamedTuple):
    """The findings of a case that a person chose, and how many more it has."""

    case: Case
    ids: list[str]
    pks: list[int]
    total: int

    @property
    def others(self) -> str:
        left = self.total - len(self.pks)
        return "the other one" if left == 1 else f"the other {left:,}"


@require(Permission.CASES_WRITE)
@require_POST
def attach_findings(request: HttpRequest, key: str) -> HttpResponse:
    case = case_or_404(key)
    form = LinkFindingsForm(request.POST)
    if form.is_valid() and case.archived_at:
        form.add_error("findings", f"{case.key} is archived. Unarchive it first.")
    if not form.is_valid():
        return case_page(request, case, link_form=form, status=422)
    pks, actor = form.cleaned_data["findings"], signed_in(request)
    with recorded(ATTACH, pks, actor=actor, case=case) as recording:
        services.attach(case, pks, actor=actor)
    if recording.act:
        title, undone_at = f"{number(len(pks), 'finding')} attached", undo_url(recording.act)
        toast(request, title, icon="link", undo_url=undone_at)
    return redirect(case_url(case))


@require(Permission.CASES_WRITE)
@require_POST
def detach_findings(request: HttpRequest, key: str) -> HttpResponse:
    chosen = _chosen(request, key)
    if not chosen.pks:
        return _nothing_chosen(request, chosen.case)
    case, words = chosen.case, number(len(chosen.pks), "finding")
    note = detach_note(case)
    if len(chosen.pks) < chosen.total:
        note = f"{chosen.others.capitalize()} {_stay(chosen)} in {case.key}."
    if "confirmed" not in request.POST:
        what = "this finding" if len(chosen.pks) == 1 else words
        return _confirm(request, chosen, f"Detach {what} from {case.key}?", note, label="Detach")
    actor = signed_in(request)
    with recorded(DETACH, chosen.pks, actor=actor) as recording:
        services.detach(chosen.pks, actor=actor, case=case)
    title = f"{words} detached" if len(chosen.pks) > 1 else "Finding detached"
    toast(request, title, note, icon="unlink", undo_url=undo_url(recording.act))
    return redirect(case_url(case))


@require(Permission.CASES_WRITE)
@require_POST
def split_findings(request: HttpRequest, key: str) -> HttpResponse:
    if "confirmed" in request.POST:
        try:
            return submit_once(request, lambda: _split(request, _chosen(request, key)))
        except CannotSplit as error:
            return case_page(request, case_or_404(key), status=422, split_error=str(error))
        except SpaceClosed as closed:
            messages.error(request, f"Nothing was split. {closed}")
            return redirect(case_url(case_or_404(key)))
    chosen = _chosen(request, key)
    case = chosen.case
    if not chosen.pks:
        return _nothing_chosen(request, case)
    try:
        require_some_left(case, chosen=len(chosen.pks), total=chosen.total)
    except CannotSplit as error:
        return case_page(request, case, status=422, split_error=str(error))
    own = "its" if len(chosen.pks) == 1 else "their"
    question = f"Split {number(len(chosen.pks), 'finding')} into a ticket of {own} own?"
    return _confirm(request, chosen, question, _kept(chosen), label="Split", tone="primary")


def _split(request: HttpRequest, chosen: _Chosen) -> HttpResponse:
    actor = signed_in(request)
    with recorded(SPLIT, chosen.pks, actor=actor) as recording:
        part = split(chosen.case, chosen.pks, actor=actor)
    if issue_of(part):
        say_creating(request, [part])
    title, link = f"{number(len(chosen.pks), 'finding')} split into {part.key}", case_url(part)
    undone_at = undo_url(recording.act)
    toast(request, title, link=("View ticket", link), icon="split", undo_url=undone_at)
    return redirect(case_url(chosen.case))


def _kept(chosen: _Chosen) -> str:
    case, group = chosen.case, group_of(chosen.case)
    kept = f"{case.key} keeps {chosen.others}."
    is_open = case.status != Case.Status.CLOSED and case.archived_at is None
    if group is None or not group.takes_more or not is_open:
        return kept
    return f"{kept} Findings found later still go to {case.key}."


def _stay(chosen: _Chosen) -> str:
    return "stays" if chosen.total - len(chosen.pks) == 1 else "stay"


def _chosen(request: HttpRequest, key: str) -> _Chosen:
    """Those of the named findings that are on the case now."""
    case = case_or_404(key)
    named = [each.replace("\0", "") for each in request.POST.getlist("finding")]
    attached = Attachment.objects.filter(case=case)
    there = dict(
        attached.filter(finding__finding_id__in=named[: services.MAX_FINDINGS])
        .order_by("pk")
        .values_list("finding__finding_id", "finding_id")
    )
    return _Chosen(case, list(there), list(there.values()), attached.count())


def _nothing_chosen(request: HttpRequest, case: Case) -> HttpResponse:
    messages.error(request, "Select findings of the case first.")
    return redirect(case_url(case))


def _confirm(
    request: HttpRequest,
    chosen: _Chosen,
    question: str,
    text: str,
    *,
    label: str,
    tone: str = "danger",
) -> HttpResponse:
    fields = [*(("finding", each) for each in chosen.ids), (SUBMISSION_ID, uuid4().hex)]
    context = {
        "question": question,
        "text": text,
        "label": label,
        "tone": tone,
        "fields": fields,
        "cancel_url": case_url(chosen.case),
    }
    return render(request, "confirm.html", context)
