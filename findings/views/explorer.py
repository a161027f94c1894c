"""The findings explorer: a search and one page of what it finds. Facets and histogram take
longer: a browser with scripts asks for them once the table stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_htmx.http import reswap, retarget

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from findings.explorer.facets import count_facets, count_tag_facet
from findings.explorer.histogram import histogram
from findings.explorer.pages import COUNTED, ROWS, page_of, total_of
from findings.explorer.panel import panel_of
from findings.explorer.patience import TookTooLongError, patience, walk_the_order
from findings.explorer.search import TAG_FACETS, Search
from findings.forms import ExplorerQuery
from findings.models import Finding
from findings.selectors import finding_by_id
from findings.suggest import suggest_search
from findings.tabs import counts_of, tabs_of

SELECTED_AT_ONCE = 50
"""A ticket takes no more selected findings than these; a bulk run takes more."""


@require(Permission.FINDINGS_READ)
@require_GET
def list_findings(request: HttpRequest) -> HttpResponse:
    asked = ExplorerQuery(request.GET)
    in_page = "HX-Request" in request.headers
    later = in_page or _loads_later(request)
    context = {"asked": asked, "may_write": _may_write(request), "later": later}
    context |= _found(asked, later=later)
    if in_page:
        return _answer(request, context, asked)
    if not later:
        context["tab_counts"] = _tab_counts(request)
    if finding := finding_by_id(request.GET.get("finding", "").replace("\0", "")):
        context["panel"] = panel_of(finding)
        context["tab"] = request.GET.get("tab", "")
    status = 422 if asked.error else 503 if "took_too_long" in context else 200
    return render(request, "findings/explorer.html", context, status=status)


@require(Permission.FINDINGS_READ)
@require_GET
def show_facets(request: HttpRequest) -> HttpResponse:
    asked = ExplorerQuery(request.GET)
    context: dict[str, Any] = {"asked": asked}
    if search := asked.search(timezone.now()):
        try:
            with patience():
                tags = [name for name in TAG_FACETS if name in search.chosen]
                context["facets"] = count_facets(search, tags=tags)
        except TookTooLongError:
            context["took_too_long"] = True
    return render(request, "findings/_facets.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
def show_facet(request: HttpRequest, name: str) -> HttpResponse:
    """One that is counted when somebody opens it."""
    if name not in TAG_FACETS:
        raise Http404
    context: dict[str, Any] = {}
    if search := ExplorerQuery(request.GET).search(timezone.now()):
        try:
            with patience():
                context["facet"] = count_tag_facet(search, name)
        except TookTooLongError:
            context["took_too_long"] = True
    return render(request, "findings/_facet.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
def show_histogram(request: HttpRequest) -> HttpResponse:
    asked, now = ExplorerQuery(request.GET), timezone.now()
    context: dict[str, Any] = {"late": True}
    if search := asked.search(now):
        try:
            with patience():
                context["histogram"] = histogram(search, now=now)
        except TookTooLongError:
            context["took_too_long"] = True
    return render(request, "findings/_histogram.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
def show_tab_counts(request: HttpRequest) -> HttpResponse:
    """The numbers beside the tabs, each for its own place."""
    return render(request, "findings/_tab_counts.html", {"tab_counts": _tab_counts(request)})


@require(Permission.FINDINGS_READ)
@require_GET
def suggest_terms(request: HttpRequest) -> HttpResponse:
    found = suggest_search(request.GET.get("typed", "").strip()[:200])
    return JsonResponse({"suggestions": [each._asdict() for each in found]})


def _answer(request: HttpRequest, context: dict[str, Any], asked: ExplorerQuery) -> HttpResponse:
    """What htmx gets. Of a query that cannot be read only the error: the results stay."""
    if not asked.error:
        return render(request, "findings/_answer.html", context)
    refused = render(request, "findings/_query_error.html", context)
    return reswap(retarget(refused, "#query-error"), "outerHTML")


def _loads_later(request: HttpRequest) -> bool:
    """Whether the browser has said (by a cookie that only a script sets) that it will ask."""
    return request.COOKIES.get("facets") == "later" and request.GET.get("facets") != "now"


def _found(asked: ExplorerQuery, *, later: bool) -> dict[str, Any]:
    now = timezone.now()
    search = asked.search(now)
    if search is None:
        return {}
    try:
        with patience():
            return _page(asked, search) | ({} if later else _counted(search, now))
    except TookTooLongError:
        return {"took_too_long": True}


def _page(asked: ExplorerQuery, search: Search) -> dict[str, Any]:
    total = total_of(search)
    if total > COUNTED and search.has_words:
        walk_the_order()
    return {
        "total": total,
        "page": page_of(search, sort=asked.sort, place=asked.place, size=asked.rows),
        "rows_choices": ROWS,
        "bulk_most": COUNTED,
        "bulk_least": SELECTED_AT_ONCE,
        "is_first_run": total == 0 and not Finding.objects.exists(),
    }


def _counted(search: Search, now: datetime) -> dict[str, Any]:
    return {"facets": count_facets(search), "histogram": histogram(search, now=now)}


def _may_write(request: HttpRequest) -> bool:
    return signed_in(request).may(Permission.FINDINGS_WRITE)


def _tab_counts(request: HttpRequest) -> dict[str, str]:
    """None where the database takes too long: the tabs stand without them."""
    try:
        with patience():
            return counts_of(tabs_of(signed_in(request), ""))
    except TookTooLongError:
        return {}
