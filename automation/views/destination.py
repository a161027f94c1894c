"""The destination in the rule editor: each choice brings the next, with scripts or without."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from automation.forms import RuleForm
from automation.rules.selectors import rule_by_id
from automation.views.editor_page import destination_context, editor_page, rule_id_of
from config.accounts.access import require
from config.accounts.roles import Permission
from ticketing.catalogue.cache import CatalogueError
from ticketing.catalogue.options import people, spaces, teams
from ticketing.models import JiraAccount
from ticketing.selectors import connected_accounts

MAX_OPTIONS = 50


@require(Permission.RULES_WRITE)
@require_POST
def choose_destination(request: HttpRequest) -> HttpResponse:
    """The card alone for htmx; without scripts the whole editor, as it was typed."""
    form = RuleForm(rule=rule_by_id(rule_id_of(request)), typed=request.POST)
    if "HX-Request" not in request.headers:
        return editor_page(request, form)
    context = destination_context(request, form)
    answer = render(request, "automation/_destination_fields.html", context)
    answer["HX-Trigger-After-Settle"] = "destination"
    return answer


@require(Permission.RULES_WRITE)
@require_GET
def find_spaces(request: HttpRequest) -> HttpResponse:
    account, typed = _account(request), request.GET.get("typed", "")
    return _choices(
        lambda: [
            {"value": each.id, "label": f"{each.key} {each.name}"}
            for each in spaces(account, typed)
        ]
    )


@require(Permission.RULES_WRITE)
@require_GET
def find_people(request: HttpRequest) -> HttpResponse:
    account, typed = _account(request), request.GET.get("typed", "").strip()[:100]
    space = request.GET.get("space", "")[:64]
    return _choices(
        lambda: [
            {"value": each.id, "label": each.name, "hint": each.email}
            for each in people(account, space, typed)
        ]
    )


@require(Permission.RULES_WRITE)
@require_GET
def find_teams(request: HttpRequest) -> HttpResponse:
    """Teams that the field of a ticket type can name."""
    account, typed = _account(request), request.GET.get("typed", "").strip()[:100]
    field = request.GET.get("field", "")[:64]
    return _choices(
        lambda: [{"value": each.id, "label": each.label} for each in teams(account, field, typed)]
    )


def _choices(find: Callable[[], list[dict[str, str]]]) -> JsonResponse:
    """What Jira offers, or why it told nothing."""
    try:
        found = find()
    except CatalogueError as error:
        return JsonResponse({"choices": [], "problem": error.reason})
    return JsonResponse({"choices": found[:MAX_OPTIONS]})


def _account(request: HttpRequest) -> JiraAccount:
    try:
        return connected_accounts().get(pk=UUID(request.GET.get("account", "")))
    except (ValueError, JiraAccount.DoesNotExist):
        raise Http404 from None
