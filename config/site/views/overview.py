"""Where one starts: what the rules did, and what needs a person."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from automation.rules.advice import dismiss_advice
from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.exports import export
from config.lib.request_handling import Lane, handle
from config.lib.spreadsheets import csv_lines
from config.lib.toasts import toast
from config.site.overview.export import CARDS, table_of
from config.site.overview.page import overview_page
from config.site.overview.span import span_of
from findings.columnar.pinned import pinned
from findings.models import DailyCount


@require(Permission.FINDINGS_READ)
@require_GET
def show_overview(request: HttpRequest) -> HttpResponse:
    with pinned():
        context = overview_page(span_of(request.GET.get("range", "")), by=_by(request))
    context["may_write"] = signed_in(request).may(Permission.RULES_WRITE)
    return render(request, "site/overview.html", context)


@handle(lane=Lane.EXPORT)
@require(Permission.FINDINGS_READ)
@require_GET
def export_overview(request: HttpRequest, card: str) -> HttpResponseBase:
    if card not in CARDS:
        raise Http404
    span, by = span_of(request.GET.get("range", "")), _by(request)
    lines = csv_lines(table_of(card, span, by=by))
    name = f"overview-{card}-{span.slug}.csv"
    return export(request, lines, file_name=name, content_type="text/csv; charset=utf-8")


@require(Permission.RULES_WRITE)
@require_POST
def hide_advice(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    rule = dismiss_advice(rule_id)
    if rule is None:
        raise Http404
    toast(request, "Advice hidden", f"For 30 days nobody is advised to group “{rule.name}”.")
    return redirect("overview")


def _by(request: HttpRequest) -> str:
    is_team = request.GET.get("by") == DailyCount.By.TEAM
    return DailyCount.By.TEAM if is_team else DailyCount.By.SEVERITY
