"""What the explorer shows, as a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.accounts.access import require
from config.accounts.audit.events import record_event
from config.accounts.roles import Permission
from config.lib.exports import export
from config.lib.request_handling import Lane, handle
from findings.explorer.columns import COLUMNS
from findings.explorer.export import csv_lines
from findings.forms import ExplorerQuery


@handle(lane=Lane.EXPORT)
@require(Permission.FINDINGS_READ)
@require_GET
def export_findings(request: HttpRequest) -> HttpResponseBase:
    params = ExplorerQuery(request.GET)
    now = timezone.now()
    search = params.search(now)
    if search is None:  # the page says what is wrong with the query
        return redirect(f"{reverse('findings:finding-list')}?{request.GET.urlencode()}")
    columns = params.columns if request.GET.get("cols") else tuple(COLUMNS)
    record_event("finding", "exported", details={"query": params.text} | params.narrowing)
    lines = csv_lines(search, sort=params.sort, columns=columns)
    name = f"findings-{now:%Y%m%d-%H%M}.csv"
    return export(request, lines, file_name=name, content_type="text/csv; charset=utf-8")
