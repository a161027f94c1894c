"""The findings explorer: a search and one page of what it finds. Facets and histogram take
longer: a browser with scripts asks for them once the table stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_htmx.http import reswap, retarget

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.concurrency import limit_searches
from config.lib.search_text import typed
from config.lib.statement_timeout import QueryTimeout, statement_timeout
from findings.columnar.pinned import pinned
from findings.explorer.columns import FINDING, SEVERITY, column_typed, named
from findings.explorer.facets import count_facet, count_facets
from findings.explorer.groups import SHOWN_AT_FIRST, SHOWN_MORE, GroupPage, group_of, page_of_groups
from findings.explorer.histogram import histogram
from findings.explorer.pages import COUNTED, ROWS, Page, page_and_total, page_of
from findings.explorer.panel import panel_of
from findings.explorer.search import FACETS, TAG_FACETS, Search, Within
from findings.explorer.table import table_of
from findings.forms import ExplorerQuery
from findings.models import Finding
from findings.selectors import finding_by_id
from findings.suggest import suggest_fields, suggest_search
from findings.tabs import counts_of, tabs_of
from findings.views.searching import StillLoading, searching

SELECTED_AT_ONCE = 50
"""A ticket takes no more selected findings than these; a bulk run takes more."""


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def list_findings(request: HttpRequest) -> HttpResponse:
    params = ExplorerQuery(request.GET)
    if "add" in request.GET:
        return _add_column(request, params)
    in_page = "HX-Request" in request.headers
    later = in_page or _loads_later(request)
    context: dict[str, Any] = {"params": params, "may_write": _may_write(request), "later": later}
    context |= _found(params, later=later, find=_find(request))
    if in_page:
        return _answer(request, context, params)
    if not later:
        context["tab_counts"] = _tab_counts(request)
    if finding := finding_by_id(request.GET.get("finding", "").replace("\0", "")):
        context["panel"] = panel_of(finding)
        context["tab"] = request.GET.get("tab", "")
    status = 422 if params.error else 503 if "results" in context["took_too_long"] else 200
    return render(request, "findings/explorer.html", context, status=status)


def _add_column(request: HttpRequest, params: ExplorerQuery) -> HttpResponse:
    """To the same page with one column more, which somebody typed."""
    typed_name, query = request.GET["add"], request.GET.copy()
    del query["add"]
    if column := column_typed(typed_name):
        query["cols"] = named(dict.fromkeys([*params.columns, column.name]))
    else:
        messages.error(request, f"“{typed_name[:100]}” is neither a tag nor an attribute.")
    return redirect(f"{reverse('findings:finding-list')}?{query.urlencode()}")


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def suggest_columns(request: HttpRequest) -> HttpResponse:
    """What else can be a column, for the field that takes its name."""
    return render(request, "findings/_column_names.html", {"names": suggest_fields()})


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def show_facets(request: HttpRequest) -> HttpResponse:
    params = ExplorerQuery(request.GET)
    context: dict[str, Any] = {"params": params}
    if search := params.search(timezone.now()):
        tags = [name for name in TAG_FACETS if name in search.chosen]
        find = _find(request)
        context |= _in_time("facets", search, lambda: count_facets(search, tags=tags, find=find))
    return render(request, "findings/_facets.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def show_facet(request: HttpRequest, name: str) -> HttpResponse:
    """One that is counted when somebody opens it."""
    if name not in TAG_FACETS:
        raise Http404
    context: dict[str, Any] = {"name": name}
    if search := ExplorerQuery(request.GET).search(timezone.now()):
        find = _find(request).get(name, "")
        context |= _in_time("facet", search, lambda: count_facet(search, name, find=find))
    return render(request, "findings/_facet.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def show_histogram(request: HttpRequest) -> HttpResponse:
    params, now = ExplorerQuery(request.GET), timezone.now()
    context: dict[str, Any] = {"late": True}
    if search := params.search(now):
        context |= _in_time("histogram", search, lambda: histogram(search, now=now))
    return render(request, "findings/_histogram.html", context)


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def show_tab_counts(request: HttpRequest) -> HttpResponse:
    """The numbers beside the tabs, each for its own place."""
    return render(request, "findings/_tab_counts.html", {"tab_counts": _tab_counts(request)})


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def suggest_terms(request: HttpRequest) -> HttpResponse:
    found = suggest_search(typed(request.GET.get("typed", "")))
    return JsonResponse({"suggestions": [each._asdict() for each in found]})


def _answer(request: HttpRequest, context: dict[str, Any], params: ExplorerQuery) -> HttpResponse:
    """What htmx gets. Of a query that cannot be read only the error: the results stay."""
    if not params.error:
        return render(request, "findings/_answer.html", context)
    refused = render(request, "findings/_query_error.html", context)
    return reswap(retarget(refused, "#query-error"), "outerHTML")


def _loads_later(request: HttpRequest) -> bool:
    """Whether the browser has said (by a cookie that only a script sets) that it will ask."""
    return request.COOKIES.get("facets") == "later" and request.GET.get("facets") != "now"


def _find(request: HttpRequest) -> dict[str, str]:
    """Facet → the value that somebody looks for in it."""
    names = {f"find_{name}": name for name in FACETS}
    return {names[param]: typed(request.GET[param]) for param in request.GET if param in names}


def _found(params: ExplorerQuery, *, later: bool, find: Mapping[str, str]) -> dict[str, Any]:
    """Of one moment, and in a time of its own each: what takes too long takes nothing else away."""
    now = timezone.now()
    search = params.search(now)
    if search is None:
        return {"took_too_long": (), "loading": ()}
    with pinned(for_words=search.has_words):
        results = _in_time("results", search, lambda: _page(params, search))
        context: dict[str, Any] = results.pop("results", {})
        if later or results:
            return context | {"took_too_long": (), "loading": ()} | results
        facets = _in_time("facets", search, lambda: count_facets(search, find=find))
        chart = _in_time("histogram", search, lambda: histogram(search, now=now))
    late = {
        reason: [name for part in (facets, chart) for name in part.get(reason, ())]
        for reason in ("took_too_long", "loading")
    }
    return context | facets | chart | late


def _in_time(name: str, search: Search, read: Callable[[], Any]) -> dict[str, Any]:
    """What is read, by its name; or its name in `took_too_long`, where the database did not
    answer in time, or in `loading`, where it soon need not be asked."""
    try:
        with searching(search):
            return {name: read()}
    except StillLoading:
        return {"loading": [name]}
    except QueryTimeout:
        return {"took_too_long": [name]}


def _page(params: ExplorerQuery, search: Search) -> dict[str, Any]:
    if params.grouping.is_list:
        return _groups(params, search)
    page, total = page_and_total(search, sort=params.sort, cursor=params.cursor, size=params.rows)
    return {
        "total": total,
        "page": page,
        "table": table_of(page, params.columns, sort=params.sort),
        "always": {"severity": SEVERITY, "finding": FINDING},
        "rows_choices": ROWS,
        "bulk_most": COUNTED,
        "bulk_least": SELECTED_AT_ONCE,
        "is_first_run": total == 0 and not Finding.objects.exists(),
    }


def _groups(params: ExplorerQuery, search: Search) -> dict[str, Any]:
    page = page_of_groups(search, number=params.grouping.page, size=params.rows)
    total = page.findings + (page.lone.number if page.lone else 0)
    return {
        "total": total,
        "groups": page,
        "opened": _opened(params, search, page),
        "rows_choices": ROWS,
        "bulk_most": COUNTED,
        "is_first_run": total == 0 and not Finding.objects.exists(),
    }


def _opened(params: ExplorerQuery, search: Search, page: GroupPage) -> dict[str, Any]:
    """The group that the address opens, if the page has it."""
    asked = params.grouping.opened or ([()] if params.grouping.opens_lone else [])
    for group in page.rows:
        if group.values in asked:
            members = members_of(search, group.within, params)
            return {"values": group.values, "members": members, "group": group}
    return {}


def members_of(search: Search, within: Within, params: ExplorerQuery) -> Page:
    """The first findings of a group. One statement."""
    size = SHOWN_MORE if params.grouping.shows_more else SHOWN_AT_FIRST
    return page_of(replace(search, within=within), sort=params.sort, cursor=None, size=size)


@require(Permission.FINDINGS_READ)
@require_GET
@limit_searches
def show_group(request: HttpRequest) -> HttpResponse:
    """The findings of one group, as rows under it; none of what is no group, or has none now."""
    params = ExplorerQuery(request.GET)
    search = params.search(timezone.now())
    within = params.grouping.within
    if search is None or within is None or len(within.groups) > 1:
        return HttpResponse()
    try:
        with searching(search):
            group = group_of(search)
            members = members_of(search, within, params) if group else None
    except QueryTimeout:
        return HttpResponse(status=503)
    if group is None:
        return HttpResponse()
    context = {"params": params, "may_write": _may_write(request)}
    context |= {"group": group, "members": members}
    return render(request, "findings/_members.html", context)


def _may_write(request: HttpRequest) -> bool:
    return signed_in(request).may(Permission.FINDINGS_WRITE)


def _tab_counts(request: HttpRequest) -> dict[str, str]:
    """None where the database takes too long: the tabs stand without them."""
    try:
        with pinned(), statement_timeout():
            return counts_of(tabs_of(signed_in(request), ""))
    except QueryTimeout:
        return {}
