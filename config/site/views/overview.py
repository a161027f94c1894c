"""Where one starts: what the rules did, and what needs a person."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.site import overview
from config.site.grouping_advice import grouping_advice

CHART_DAYS = 7  # at least, whatever the range


@require(Permission.FINDINGS_READ)
@require_GET
def show_overview(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("range", "")
    chosen = chosen if chosen in overview.RANGES else "7d"
    days = overview.RANGES[chosen][1]
    rules = overview.rules_in_order()
    severities = overview.open_by_severity()
    pipeline = overview.pipeline()
    context = {
        "ranges": [(slug, label) for slug, (label, _) in overview.RANGES.items()],
        "range": chosen,
        "is_fresh": not rules and not any(row.open for row in severities) and not pipeline.findings,
        "broken": overview.broken(rules),
        "advice": grouping_advice(rules),
        "coverage": overview.coverage(days),
        "today": overview.today(rules),
        "speed": overview.speed(days),
        "severities": severities,
        "days": overview.ticket_days(max(days, CHART_DAYS)),
        "pipeline": pipeline,
        "may_write": signed_in(request).may(Permission.RULES_WRITE),
    }
    return render(request, "site/overview.html", context)
