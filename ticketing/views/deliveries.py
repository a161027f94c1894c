"""The delivery log: every try, what needs a person, and what nobody asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.keyset import BadKeyset
from config.lib.toasts import toast
from ticketing import health, outbox
from ticketing.models import ExternalIssue

SHOWN = 20


@require(Permission.INTEGRATIONS)
@require_GET
def list_deliveries(request: HttpRequest) -> HttpResponse:
    outcome, before = request.GET.get("outcome", ""), request.GET.get("before", "")
    try:
        log = health.delivery_log(outcome, before=before)
    except (KeyError, BadKeyset) as error:
        raise Http404 from error
    stuck = health.stuck_issues()
    context = {
        "log": log,
        "outcome": outcome,
        "outcomes": [(slug, label) for slug, (label, _) in health.OUTCOMES.items()],
        "before": before,
        "stuck": stuck[:SHOWN],
        "stuck_count": stuck.count(),
        "orphans": health.orphans()[:SHOWN],
    }
    return render(request, "ticketing/deliveries.html", context)


class _Deed(NamedTuple):
    """What is done to a stuck issue; `do` says whether there was anything to do."""

    do: Callable[..., bool]
    said: str
    text: str = ""


DEEDS: Mapping[str, _Deed] = {
    "retry": _Deed(outbox.retry_now, "is tried again"),
    "cancel": _Deed(outbox.cancel, "is cancelled", "The case stays."),
    # A person looked into Jira: the issue that may have been created is not there.
    "absent": _Deed(outbox.confirm_absent, "is created again"),
}


@require(Permission.INTEGRATIONS)
@require_POST
def change_delivery(request: HttpRequest, issue_id: UUID, deed: str) -> HttpResponse:
    issue = get_object_or_404(ExternalIssue.objects.select_related("case"), pk=issue_id)
    if deed not in DEEDS:
        raise Http404
    do, said, text = DEEDS[deed]
    if do(issue, actor=signed_in(request)):
        toast(request, f"The ticket for {issue.case.key} {said}", text)
    else:
        title = f"The ticket for {issue.case.key} no longer waits"
        toast(request, title, "The list now shows the current state.", level=messages.WARNING)
    return redirect("ticketing:delivery-list")
