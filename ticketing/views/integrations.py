"""Accounts of Jira: the list of them, and what is done with one at a time."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.deadline import PAGE_SECONDS, Deadline
from config.lib.toasts import toast
from ticketing import account_probe, connections, health
from ticketing.models import JiraAccount
from ticketing.views.account_setup import remember, to_step


@require(Permission.INTEGRATIONS)
@require_GET
def list_accounts(request: HttpRequest) -> HttpResponse:
    cards = health.account_cards()
    has_sandbox = any(card.account.is_sandbox for card in cards)
    context = {
        "cards": cards,
        "offers_sandbox": bool(settings.SANDBOX_JIRA_URL) and not has_sandbox,
    }
    return render(request, "ticketing/integrations.html", context)


@require(Permission.INTEGRATIONS)
@require_POST
def test_account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """From the list, news of success stays there; everything else is shown check by check."""
    account = present(account_id)
    report = connections.test_account(account, actor=signed_in(request))
    remember(request, account, report)
    if report.problem or request.POST.get("from") != "list":
        return to_step(account, "test")
    toast(request, f"{account.host} answered", f"Signed in as {report.user_name}.")
    return redirect("ticketing:integration-list")


@require(Permission.INTEGRATIONS)
@require_POST
def probe_account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Try now: the look that a suspended account would get later by itself."""
    account = present(account_id)
    deadline = Deadline(PAGE_SECONDS)
    if account_probe.probe(account, deadline=deadline, actor=signed_in(request)):
        toast(request, f"{account.host} answers again", "Waiting tickets are on their way.")
    else:
        account.refresh_from_db()
        title = f"{account.host} does not work yet"
        toast(request, title, account.problem, level=messages.ERROR)
    return redirect("ticketing:integration-list")


@require(Permission.INTEGRATIONS)
@require_POST
def connect_sandbox(request: HttpRequest) -> HttpResponse:
    """One click: the sandbox has only one way to be set up."""
    if not settings.SANDBOX_JIRA_URL:
        toast(request, "There is no sandbox Jira here", level=messages.ERROR)
        return redirect("ticketing:integration-list")
    try:
        account = connections.connect_sandbox(actor=signed_in(request))
    except ValidationError as error:
        toast(request, "Not connected", " ".join(error.messages), level=messages.ERROR)
    else:
        toast(request, f"{account.name} connected", "Rules can create tickets there now.")
    return redirect("ticketing:integration-list")


@require(Permission.INTEGRATIONS)
@require_http_methods(["GET", "POST"])
def delete_account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    account = present(account_id)
    if request.method == "POST":
        try:
            connections.delete_account(account, actor=signed_in(request))
        except ValidationError as error:
            title = f"{account.name} was not deleted"
            toast(request, title, " ".join(error.messages), level=messages.ERROR)
        else:
            toast(request, f"{account.name} deleted")
        return redirect("ticketing:integration-list")
    context = {
        "question": f"Delete {account.name}?",
        "text": "Its token is forgotten and its webhook removed. Tickets it created stay in Jira "
        "and keep their links, but are no longer synced.",
        "label": "Delete account",
        "cancel_url": "/settings/integrations",
    }
    return render(request, "confirm.html", context)


def present(account_id: UUID) -> JiraAccount:
    return get_object_or_404(JiraAccount, pk=account_id, deleted_at=None)
