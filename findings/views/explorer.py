"""The findings explorer: a search, its facets and histogram, one page of findings."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_htmx.http import reswap, retarget

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from findings.explorer.facets import count_facets
from findings.explorer.histogram import histogram
from findings.explorer.pages import ROWS, page_of
from findings.explorer.panel import panel_of
from findings.forms import ExplorerQuery
from findings.models import Finding
from findings.selectors import finding_by_id


@require(Permission.FINDINGS_READ)
@require_GET
def list_findings(request: HttpRequest) -> HttpResponse:
    asked = ExplorerQuery(request.GET)
    context = {"asked": asked, "may_write": _may_write(request), **_found(asked)}
    if "HX-Request" in request.headers:
        return _answer(request, context, asked)
    if finding := finding_by_id(request.GET.get("finding", "").replace("\0", "")):
        context["panel"] = panel_of(finding)
        context["tab"] = request.GET.get("tab", "")
    return render(request, "findings/explorer.html", context, status=422 if asked.error else 200)


def _answer(request: HttpRequest, context: dict[str, Any], asked: ExplorerQuery) -> HttpResponse:
    """What htmx gets. Of a query that cannot be read only the error: the results stay."""
    if not asked.error:
        return render(request, "findings/_answer.html", context)
    refused = render(request, "findings/_query_error.html", context)
    return reswap(retarget(refused, "#query-error"), "outerHTML")


def _found(asked: ExplorerQuery) -> dict[str, Any]:
    now = timezone.now()
    search = asked.search(now)
    if search is None:
        return {}
    counted = count_facets(search)
    return {
        "total": counted.total,
        "facets": counted.facets,
        "histogram": histogram(search, now=now),
        "page": page_of(search, sort=asked.sort, place=asked.place, size=asked.rows),
        "rows_choices": ROWS,
        "is_first_run": counted.total == 0 and not Finding.objects.exists(),
    }


def _may_write(request: HttpRequest) -> bool:
    return signed_in(request).may(Permission.FINDINGS_WRITE)
