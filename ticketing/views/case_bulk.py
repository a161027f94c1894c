"""One change of many cases: those checked in a list, or all that it found."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.return_address import return_address
from config.lib.toasts import toast
from ticketing.case_bulk import MAX_CASES, Action, Outcome, change_all
from ticketing.case_lists import CaseQuery, case_pks
from ticketing.case_search import BadTerm
from ticketing.forms.case_bulk import CaseBulkForm, ChosenCases, hidden_fields
from ticketing.group_text import number
from ticketing.models import Case
from ticketing.views.cases import closing_hint

MAX_NAMED = 20


@require(Permission.CASES_WRITE)
@require_POST
def change_cases(request: HttpRequest) -> HttpResponse:
    form, chosen = CaseBulkForm(request.POST), ChosenCases(request.POST)
    if not form.is_valid():
        wrong = (str(said) for errors in form.errors.values() for said in errors)
        return _refused(request, " ".join(wrong))
    pks = _found(request, chosen) if chosen.is_whole else chosen.pks
    if not pks:
        return _refused(request, "Select cases first.")
    if len(pks) > MAX_CASES:
        text = f"The list has more than {MAX_CASES:,} cases. Narrow the search, then select all."
        return _refused(request, text)
    action = form.action
    if (chosen.is_whole or action.asks_first) and not _is_confirmed(request, chosen, pks):
        return _ask(request, action, pks)
    _say(request, action, change_all(pks, action, actor=signed_in(request)))
    return redirect(_back(request))


def _found(request: HttpRequest, chosen: ChosenCases) -> list[UUID]:
    try:
        query = CaseQuery.read(chosen.search)
        return case_pks(query, me=signed_in(request), most=MAX_CASES + 1)
    except BadTerm:
        return []


def _is_confirmed(request: HttpRequest, chosen: ChosenCases, pks: list[UUID]) -> bool:
    """A search may find more than it did when somebody was asked: then they are asked again."""
    return "confirmed" in request.POST and chosen.expected == len(pks)


def _ask(request: HttpRequest, action: Action, pks: list[UUID]) -> HttpResponse:
    kept = hidden_fields(request.POST, without=("csrfmiddlewaretoken", "confirmed", "expected"))
    context = {
        "question": action.asks(number(len(pks), "case")),
        "text": "They leave the list and keep their findings and their history."
        if action.asks_first
        else "All that the list holds now.",
        "fields": [*kept, ("expected", str(len(pks)))],
        "tone": "danger" if action.asks_first else "primary",
        "cancel_url": _back(request),
    }
    return render(request, "confirm.html", context)


def _say(request: HttpRequest, action: Action, outcome: Outcome) -> None:
    cases = [each.case for each in outcome.changed]
    kept = f"{number(outcome.kept, 'case')} left as {_was(outcome.kept)}." if outcome.kept else ""
    closed = [case for case in cases if case.status == Case.Status.CLOSED]
    hint = closing_hint(*closed) if closed and "status" in request.POST else ""
    if cases or not (outcome.failed or outcome.gone):
        level = messages.SUCCESS if cases else messages.INFO
        done = action.says(number(len(cases), "case")) if cases else "Nothing to change"
        toast(request, done, " ".join(filter(None, (kept, hint))), level=level)
    if failures := _failures(outcome):
        failed = len(outcome.failed) + outcome.gone
        toast(request, f"{number(failed, 'case')} not changed", failures, level=messages.ERROR)


def _failures(outcome: Outcome) -> str:
    """Every case by its key, those with one reason together."""
    said = [f"{number(outcome.gone, 'case')} no longer exist."] if outcome.gone else []
    if outcome.gone == 1:
        said = ["1 case no longer exists."]
    failed = sorted(outcome.failed, key=attrgetter("reason"))
    for reason, group in groupby(failed, key=attrgetter("reason")):
        keys = [each.key for each in group]
        more = f" and {len(keys) - MAX_NAMED:,} more" if len(keys) > MAX_NAMED else ""
        said.append(f"{', '.join(keys[:MAX_NAMED])}{more}: {reason}")
    return " ".join(said)


def _was(cases: int) -> str:
    return "it was" if cases == 1 else "they were"


def _refused(request: HttpRequest, why: str) -> HttpResponse:
    toast(request, "Nothing was changed", why, level=messages.ERROR)
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    return return_address(request, request.POST.get("next", "")) or reverse("ticketing:case-list")
