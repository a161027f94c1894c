"""The cases as a list and as a board, and moving a card of the board to another column."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from config.accounts.access import require, signed_in
from config.accounts.models import User
from config.accounts.roles import Permission
from config.lib.concurrency import limit_searches
from config.lib.statement_timeout import QueryTimeout, statement_timeout
from config.lib.toasts import toast
from findings.tabs import choose_team_url
from ticketing import services
from ticketing.case_bulk import MAX_CASES
from ticketing.case_lists import SORTS, CaseQuery, board_of, find_cases
from ticketing.case_search import BadTerm
from ticketing.case_tabs import case_tabs, later_counts
from ticketing.close_reasons import CloseReason
from ticketing.forms.cases import ChangeCaseForm
from ticketing.models import Case, Project
from ticketing.timeline import CaseChanged
from ticketing.views.case_lookup import case_or_404
from ticketing.views.cases import closing_hint, said_of


@require(Permission.CASES_READ)
@require_GET
def list_cases(request: HttpRequest) -> HttpResponse:
    me, query = signed_in(request), CaseQuery.read(request.GET)
    if query.view == "team" and not me.team:
        return redirect(choose_team_url(request.get_full_path()))
    has_scripts = request.COOKIES.get("facets") == "later"  # they ask for what takes longer
    context = _shown(request, as_board=request.GET.get("layout") == "board") | {
        "views": case_tabs(me, query, at_once=not has_scripts),
        "projects": Project.objects.all(),
        "sorts": list(SORTS.items()),
        "may_write_projects": me.may(Permission.PROJECTS_WRITE),
        "people": User.objects.filter(is_active=True) if me.may(Permission.CASES_WRITE) else [],
        "wont_fix": [(each.value, each.label) for each in CloseReason if each.is_wont_fix],
        "most_in_bulk": MAX_CASES,
        "status_choices": Case.Status.choices,
        "priority_choices": Case.Priority.choices,
    }
    return render(request, "ticketing/cases.html", context)


@require(Permission.CASES_READ)
@require_GET
@limit_searches
def count_views(request: HttpRequest) -> HttpResponse:
    """The numbers beside the tabs that the page does not wait for, each for its own place. None
    where the database takes too long."""
    try:
        with statement_timeout():
            counts = later_counts(signed_in(request))
    except QueryTimeout:
        counts = {}
    return render(request, "ticketing/_case_view_counts.html", {"counts": counts})


@require(Permission.CASES_WRITE)
@require_POST
def move_card(request: HttpRequest, key: str) -> HttpResponse:
    """Give a case the status of the column that its card was moved to.

    A script gets the board as it is then, with 409 if somebody else had changed the status
    after `seen`; without one, the board is the next page.
    """
    case = case_or_404(key)
    status = _move(request, case)
    if "HX-Request" in request.headers:
        board = _shown(request, as_board=True)
        return render(request, "ticketing/_board_moved.html", board, status=status)
    return redirect(f"{reverse('ticketing:case-list')}?{request.GET.urlencode()}")


def _move(request: HttpRequest, case: Case) -> int:
    """The status of the answer; a toast says what became of the card."""
    form = ChangeCaseForm(request.POST)
    if not form.is_valid() or not form.cleaned_data["status"]:
        toast(request, "Not moved", "There is no such column.", level=messages.ERROR)
        return 422
    said = {name: form.cleaned_data[name] for name in ("status", "seen")}
    try:
        now = services.change_case(case, **said, actor=signed_in(request))
    except CaseChanged as change:
        toast(request, f"{case.key} not moved", said_of(change), level=messages.ERROR)
        return 409
    if now.status != case.status:
        _say_moved(request, case, now)
    return 200


def _say_moved(request: HttpRequest, before: Case, now: Case) -> None:
    undo = reverse("ticketing:case-column", args=[now.key])
    toast(
        request,
        f"{now.key} is {now.get_status_display()}",
        closing_hint(now) if now.status == Case.Status.CLOSED else "",
        undo_url=f"{undo}?{request.GET.urlencode()}",
        undo_data={"status": before.status, "seen": now.modified_at.isoformat()},
    )


def _shown(request: HttpRequest, *, as_board: bool) -> dict[str, Any]:
    """The cases that the address asks for, as a list or a board."""
    me, query = signed_in(request), CaseQuery.read(request.GET)
    search = request.GET.urlencode()
    here = f"{reverse('ticketing:case-list')}{'?' if search else ''}{search}"
    context: dict[str, Any] = {
        "asked": query,
        "here": here,  # also where a script asked another address for the board
        "as_board": as_board,
        "sorted_by": SORTS[query.sort],
        "may_write": me.may(Permission.CASES_WRITE),
    }
    try:
        if as_board:
            return context | {"columns": board_of(query, me=me)}
        return context | {"page": find_cases(query, me=me)}
    except BadTerm as error:
        return context | {"error": str(error)}
