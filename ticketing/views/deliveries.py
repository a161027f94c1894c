"""The delivery log: every try, what needs a person, and what nobody asked for."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
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
    except (KeyError, health.BadPlace) as error:
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


@require(Permission.INTEGRATIONS)
@require_POST
def retry_delivery(request: HttpRequest, issue_id: UUID) -> HttpResponse:
    issue = _issue(issue_id)
    if outbox.retry_now(issue, actor=signed_in(request)):
        toast(request, f"The ticket for {issue.case.key} is tried again")
    else:
        _too_late(request, issue)
    return redirect("ticketing:delivery-list")


@require(Permission.INTEGRATIONS)
@require_POST
def cancel_delivery(request: HttpRequest, issue_id: UUID) -> HttpResponse:
    issue = _issue(issue_id)
    if outbox.cancel(issue, actor=signed_in(request)):
        toast(request, f"The ticket for {issue.case.key} is cancelled", "The case stays.")
    else:
        _too_late(request, issue)
    return redirect("ticketing:delivery-list")


@require(Permission.INTEGRATIONS)
@require_POST
def recreate_delivery(request: HttpRequest, issue_id: UUID) -> HttpResponse:
    """A person looked into Jira: the issue that may have been created is not there."""
    issue = _issue(issue_id)
    if outbox.confirm_absent(issue, actor=signed_in(request)):
        toast(request, f"The ticket for {issue.case.key} is created again")
    else:
        _too_late(request, issue)
    return redirect("ticketing:delivery-list")


def _issue(issue_id: UUID) -> ExternalIssue:
    return get_object_or_404(ExternalIssue.objects.select_related("case"), pk=issue_id)


def _too_late(request: HttpRequest, issue: ExternalIssue) -> None:
    title = f"The ticket for {issue.case.key} no longer waits"
    toast(request, title, "The list now shows how it is.", level=messages.WARNING)
