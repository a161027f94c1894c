"""What the explorer shows, as a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.accounts.access import require
from config.accounts.roles import Permission
from findings.explorer.columns import COLUMNS
from findings.explorer.export import csv_lines
from findings.forms import ExplorerQuery


@require(Permission.FINDINGS_READ)
@require_GET
def export_findings(request: HttpRequest) -> HttpResponseBase:
    asked = ExplorerQuery(request.GET)
    now = timezone.now()
    search = asked.search(now)
    if search is None:  # the page says what is wrong with the query
        return redirect(f"{reverse('findings:finding-list')}?{request.GET.urlencode()}")
    columns = asked.columns if request.GET.get("cols") else tuple(COLUMNS)
    lines = csv_lines(search, sort=asked.sort, columns=columns)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = f"findings-{now:%Y%m%d-%H%M}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Accel-Buffering"] = "no"  # a proxy sends it on as it comes
    return answer
