"""The cases as a list and as a board, and moving a card of the board to another column."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.toasts import toast
from ticketing import services
from ticketing.case_search import BadTerm
from ticketing.forms.cases import ChangeCaseForm
from ticketing.models import Case, Project
from ticketing.selectors import (
    SORTS,
    VIEWS,
    board_of,
    case_by_key,
    find_cases,
    view_counts,
)
from ticketing.views.cases import closing_hint, said_of


@require(Permission.CASES_READ)
@require_GET
def list_cases(request: HttpRequest) -> HttpResponse:
    me = signed_in(request)
    context = _shown(request, as_board=request.GET.get("layout") == "board") | {
        "views": view_counts(me),
        "projects": Project.objects.all(),
        "sorts": [(name, label) for name, (label, _) in SORTS.items()],
        "may_write_projects": me.may(Permission.PROJECTS_WRITE),
    }
    return render(request, "ticketing/cases.html", context)


@require(Permission.CASES_WRITE)
@require_POST
def move_card(request: HttpRequest, key: str) -> HttpResponse:
    """Give a case the status of the column that its card was moved to.

    A script gets the board as it is then, with 409 if somebody else had changed the status
    after `seen`; without one, the board is the next page.
    """
    case = case_by_key(key)
    if case is None:
        raise Http404
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
    except services.CaseChanged as change:
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
    me, asked = signed_in(request), _asked(request)
    context: dict[str, Any] = {
        "asked": asked,
        "as_board": as_board,
        "sorted_by": SORTS[asked["sort"]][0],
        "may_write": me.may(Permission.CASES_WRITE),
    }
    try:
        if as_board:
            wanted = {name: asked[name] for name in ("text", "view", "project", "sort")}
            return context | {"columns": board_of(**wanted, me=me)}
        return context | {"page": find_cases(**asked, me=me)}
    except BadTerm as error:
        return context | {"error": str(error)}


def _asked(request: HttpRequest) -> dict[str, Any]:
    """The address of a list, read with tolerance: what it does not know, it drops."""
    said = request.GET
    page = said.get("page", "")
    return {
        "text": said.get("q", "").replace("\0", "").strip()[:200],
        "view": said["view"] if said.get("view") in VIEWS else "",
        "project": said.get("project", "").replace("\0", "").upper()[:10],
        "status": said["status"] if said.get("status") in Case.Status.values else "",
        "sort": said["sort"] if said.get("sort") in SORTS else "updated",
        "page": int(page) if page.isascii() and page.isdecimal() and len(page) < 10 else 1,
    }
