"""The destination in the rule editor: each choice brings the next, with scripts or without."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from automation.forms import RuleForm
from automation.places import connected_accounts, people, spaces
from automation.selectors import rule_by_id
from automation.views.editor_page import destination_context, editor_page, rule_id_of
from config.accounts.access import require
from config.accounts.roles import Permission
from ticketing.models import JiraAccount
from ticketing.trackers.base import TrackerError

MOST_OPTIONS = 50


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
    try:
        found = spaces(account, typed)
    except TrackerError as error:
        return JsonResponse({"choices": [], "problem": error.reason})
    choices = [{"value": each.id, "label": f"{each.key} {each.name}"} for each in found]
    return JsonResponse({"choices": choices[:MOST_OPTIONS]})


@require(Permission.RULES_WRITE)
@require_GET
def find_people(request: HttpRequest) -> HttpResponse:
    account, typed = _account(request), request.GET.get("typed", "").strip()[:100]
    try:
        found = people(account, request.GET.get("space", "")[:64], typed)
    except TrackerError as error:
        return JsonResponse({"choices": [], "problem": error.reason})
    choices = [{"value": each.id, "label": each.name, "hint": each.email} for each in found]
    return JsonResponse({"choices": choices[:MOST_OPTIONS]})


def _account(request: HttpRequest) -> JiraAccount:
    try:
        return connected_accounts().get(pk=UUID(request.GET.get("account", "")))
    except (ValueError, JiraAccount.DoesNotExist):
        raise Http404 from None
