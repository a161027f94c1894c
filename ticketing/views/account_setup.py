"""The set-up of an account, a page for each step. What was said is kept in the draft's row."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from config.accounts.access import require, signed_in
from config.accounts.form_submissions import submit_once
from config.accounts.roles import Permission
from config.lib.toasts import toast
from ticketing import accounts, connections
from ticketing.connections import Report
from ticketing.forms.accounts import AccountForm
from ticketing.models import JiraAccount
from ticketing.trackers.base import TrackerError


class Step(NamedTuple):
    slug: str
    title: str
    text: str
    is_done: bool = False


STEPS = (
    Step("credentials", "Credentials", "Site, email, API token"),
    Step("test", "Test connection", "Permissions and spaces"),
    Step("webhook", "Webhook", "Two-way status sync"),
    Step("spaces", "Spaces", "Which spaces rules may use"),
)


@require(Permission.INTEGRATIONS)
@require_http_methods(["GET", "POST"])
def create_account(request: HttpRequest) -> HttpResponse:
    form = AccountForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        me, created = signed_in(request), list[JiraAccount]()

        def create() -> HttpResponse:
            token = form.cleaned_data["token"]
            created.append(accounts.create_account(form.account_data, token=token, actor=me))
            return to_step(created[0], "test")

        try:
            answer = submit_once(request, create)
        except ValidationError as error:
            form.add_service_error(error)
        else:
            for account in created:  # none if the form was sent before
                remember(request, account, connections.test_account(account, actor=me))
            return answer
    return _page(request, None, "credentials", form=form, status=422 if form.is_bound else 200)


@require(Permission.INTEGRATIONS)
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The step of the address; the first one also takes what is said in it."""
    account = _present(account_id)
    step = request.GET.get("step", _next_step(account))
    if request.method == "POST" or step == "credentials":
        return _credentials(request, account)
    if step == "test":
        return _page(request, account, step, report=recall(request, account))
    if step == "spaces":
        return _page(request, account, step, spaces=account.spaces.all())
    if step == "webhook":
        return _page(request, account, step)
    raise Http404


def _credentials(request: HttpRequest, account: JiraAccount) -> HttpResponse:
    form = AccountForm(request.POST if request.method == "POST" else None, account=account)
    if form.is_valid():
        me = signed_in(request)
        try:
            token = form.cleaned_data["token"]
            account = accounts.edit_account(account, form.account_data, token=token, actor=me)
        except ValidationError as error:
            form.add_service_error(error)
        else:
            remember(request, account, connections.test_account(account, actor=me))
            return to_step(account, "test")
    status = 422 if form.is_bound else 200
    return _page(request, account, "credentials", form=form, status=status)


@require(Permission.INTEGRATIONS)
@never_cache
@require_POST
def change_webhook(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """A new secret is in this answer and nowhere else; everything else leads back to the step."""
    account, me = _present(account_id), signed_in(request)
    shown = {}
    try:
        match request.POST.get("action"):
            case "register":
                connections.register_webhook(account, actor=me)
                toast(request, "Webhook created")
            case "remove":
                connections.remove_webhook(account, actor=me)
                toast(request, "Webhook removed")
            case "show":
                shown["secret"] = accounts.rotate_webhook_secret(account, actor=me)
            case "forget":
                accounts.forget_former_secret(account, actor=me)
                toast(request, "The previous secret is no longer accepted")
    except (TrackerError, ValidationError) as error:
        shown["error"] = connections.error_sentence(error)
    if not shown:
        return to_step(account, "webhook")
    account.refresh_from_db()
    status = 422 if "error" in shown else 200
    return _page(request, account, "webhook", status=status, **shown)


@require(Permission.INTEGRATIONS)
@require_POST
def choose_spaces(request: HttpRequest, account_id: UUID) -> HttpResponse:
    account, me = _present(account_id), signed_in(request)
    accounts.allow_spaces(account, request.POST.getlist("space"), actor=me)
    was_draft = account.connected_at is None
    accounts.connect(account, actor=me)
    toast(request, f"{account.name} {'connected' if was_draft else 'saved'}")
    return redirect("ticketing:integration-list")


# --- What a test said is kept in the session: it is the person's, and holds no secret --


def remember(request: HttpRequest, account: JiraAccount, report: Report) -> None:
    request.session[f"connection-{account.pk}"] = asdict(report)


def recall(request: HttpRequest, account: JiraAccount) -> dict[str, Any] | None:
    return request.session.get(f"connection-{account.pk}")


def to_step(account: JiraAccount, step: str) -> HttpResponse:
    return redirect(f"{reverse('ticketing:account-setup', args=[account.pk])}?step={step}")


def _page(
    request: HttpRequest, account: JiraAccount | None, step: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    is_new = account is None or account.connected_at is None
    context = {
        "account": account,
        "title": "Add Jira account" if is_new else f"Edit {account}",
        "step": step,
        "steps": [each._replace(is_done=_is_done(account, each.slug)) for each in STEPS],
        "template": f"ticketing/_setup_{step}.html",
    }
    if account:
        context["setup_url"] = reverse("ticketing:account-setup", args=[account.pk])
        context["webhook_url"] = connections.webhook_url(account)
    return render(request, "ticketing/account_setup.html", context | more, status=status)


def _is_done(account: JiraAccount | None, slug: str) -> bool:
    if account is None:
        return False
    return {
        "credentials": bool(account.token),
        "test": bool(account.user_id) and not account.problem,
        "webhook": account.webhook_event_at is not None,
        "spaces": account.connected_at is not None,
    }[slug]


def _next_step(account: JiraAccount) -> str:
    return next((each.slug for each in STEPS if not _is_done(account, each.slug)), "credentials")


def _present(account_id: UUID) -> JiraAccount:
    return get_object_or_404(JiraAccount, pk=account_id, deleted_at=None)
