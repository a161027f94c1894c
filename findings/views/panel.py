"""One finding: in the drawer beside the list, or as a page of its own."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from findings.explorer.panel import panel_of
from findings.selectors import archived_finding, finding_by_id


@require(Permission.FINDINGS_READ)
@require_GET
def show_finding(request: HttpRequest, finding_id: str) -> HttpResponse:
    finding = finding_by_id(finding_id.replace("\0", ""))
    if finding is None:
        return _archived(request, finding_id)
    in_drawer = "HX-Request" in request.headers
    context = {
        "panel": panel_of(finding),
        "tab": request.GET.get("tab", ""),
        "in_drawer": in_drawer,
        "may_write": signed_in(request).may(Permission.FINDINGS_WRITE),
    }
    template = "findings/_panel.html" if in_drawer else "findings/finding.html"
    return render(request, template, context)


def _archived(request: HttpRequest, finding_id: str) -> HttpResponse:
    archived = archived_finding(finding_id.replace("\0", ""))
    if archived is None:
        raise Http404
    context = {"archived": archived, "key": archived.columns.get("ticket_key", "")}
    return render(request, "findings/archived.html", context, status=HTTPStatus.GONE)
