"""The evaluation log: each decision about a ticket, and why."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from automation.decisions.log import RESULTS, evaluations, page_of_log
from config.accounts.access import require
from config.accounts.roles import Permission
from config.lib.keyset import BadKeyset
from config.lib.log_pages import RANGE_CHOICES, RANGES


@require(Permission.FINDINGS_READ)
@require_GET
def list_evaluations(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.GET.get(name, "") for name in ("result", "from")}
    before = request.GET.get("before", "")
    try:
        since = timezone.now() - RANGES[chosen["from"]].length if chosen["from"] else None
        log = page_of_log(evaluations(since=since, result=chosen["result"]), before=before)
    except (KeyError, BadKeyset) as error:
        raise Http404 from error
    context = {
        "log": log,
        "results": [(name, result.label) for name, result in RESULTS.items()],
        "ranges": RANGE_CHOICES,
        "params": chosen | {"before": before},
        "filtered": any(chosen.values()),
    }
    return render(request, "automation/evaluation_log.html", context)
