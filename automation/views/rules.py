"""The list of rules: its order, and switching, copying and deleting one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from automation import services
from automation.forms import MoveForm, OrderForm, RuleFilter
from automation.models import Rule
from automation.selectors import RuleRow, last_day, rule_by_id, rule_rows, ticket_counts
from automation.views.gone import gone_is_404
from config.accounts.access import require, signed_in
from config.accounts.roles import Permission
from config.lib.toasts import toast


@require(Permission.RULES_READ)
@require_GET
def list_rules(request: HttpRequest) -> HttpResponse:
    return render(request, "automation/rules.html", _list(request))


@require(Permission.RULES_READ)
@require_GET
def live_rules(request: HttpRequest) -> HttpResponse:
    """What changes by itself: meters, last tickets, numbers of the day."""
    return render(request, "automation/_live.html", _list(request))


@require(Permission.RULES_WRITE)
@require_POST
def reorder_rules(request: HttpRequest) -> HttpResponse:
    form = OrderForm(request.POST)
    if not form.is_valid():
        return _order_refused(request, "The order that was sent is incomplete.", status=422)
    said = form.cleaned_data
    before = [row.rule for row in rule_rows()]
    try:
        version = services.reorder(said["ids"], version=said["version"], actor=signed_in(request))
    except services.RulesChanged as change:
        return _order_refused(request, _changed(change), status=409)
    except services.InvalidOrder:
        return _order_refused(request, "Every rule has to be in it once.", status=422)
    _say_moved(request, said["moved"], before=before, after=said["ids"], version=version)
    if "HX-Request" in request.headers:
        return render(request, "automation/_order_saved.html", _list(request))
    return redirect("automation:rule-list")


@require(Permission.RULES_WRITE)
@require_http_methods(["GET", "POST"])
@gone_is_404
def move_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    rule = _rule(rule_id)
    form = MoveForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        context = {"form": form, **_list(request)}
        context["row"] = _row_of(rule, context["all_rows"])
        status = 200 if request.method == "GET" else 422
        return render(request, "automation/rule_move.html", context, status=status)
    said = form.cleaned_data
    before = [row.rule for row in rule_rows()]
    try:
        version = services.move_rule(
            rule.pk, to=said["position"] - 1, version=said["version"], actor=signed_in(request)
        )
    except services.RulesChanged as change:
        return _order_refused(request, _changed(change), status=409)
    except services.InvalidOrder:
        return _order_refused(request, "The order that was seen is unknown.", status=422)
    after = [row.rule.pk for row in rule_rows()]
    _say_moved(request, rule.pk, before=before, after=after, version=version)
    return redirect(_row(rule))


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def toggle_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    rule, actor = _rule(rule_id), signed_in(request)
    if rule.is_broken:
        messages.error(request, f"{rule.name} is broken. Fix the configuration first.")
    elif request.POST.get("enabled"):
        services.enable_rule(rule.pk, actor=actor)
        toast(request, f"{rule.name} enabled", "Applies to findings from now on.", by_rule=True)
    elif rule.enabled:
        services.disable_rule(rule.pk, actor=actor)
        toast(
            request,
            f"{rule.name} disabled",
            "Existing tickets stay attached.",
            undo_url=reverse("automation:rule-toggle", args=[rule.pk]),
            undo_data={"enabled": "on"},
        )
    if "HX-Request" not in request.headers:
        return redirect(_row(rule))
    context = _list(request)
    context["changed"] = _row_of(rule, context["all_rows"])
    return render(request, "automation/_rule_changed.html", context)


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def deliver_waiting(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Send what waited for the rule to be repaired."""
    rule = _rule(rule_id)
    if not rule.enabled:
        messages.error(request, f"{rule.name} is off. Fix the configuration and enable it first.")
        return redirect(_row(rule))
    number = services.deliver_waiting(rule.pk, actor=signed_in(request))
    toast(
        request,
        f"{number} ticket{'' if number == 1 else 's'} on the way to Jira",
        f"They are created as {rule.name} is now.",
        by_rule=True,
    )
    return redirect(_row(rule))


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def duplicate_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    copy = services.duplicate_rule(_rule(rule_id).pk, actor=signed_in(request))
    toast(request, f"{copy.name} created", "It is off until you switch it on.", by_rule=True)
    return redirect("automation:rule-edit", copy.pk)


@require(Permission.RULES_WRITE)
@require_http_methods(["GET", "POST"])
@gone_is_404
def delete_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    rule = _rule(rule_id)
    if request.method == "POST":
        services.delete_rule(rule.pk, actor=signed_in(request))
        toast(request, f"{rule.name} deleted", "Its tickets stay attached.")
        return redirect("automation:rule-list")
    context = {
        "rule": rule,
        "tickets": ticket_counts(),
        "question": f"Delete “{rule.name}”?",
        "label": "Delete rule",
        "cancel_url": reverse("automation:rule-list"),
    }
    return render(request, "automation/rule_delete.html", context)


def _list(request: HttpRequest) -> dict[str, Any]:
    # The version before the rows: an order read too late must look outdated, not the reverse.
    version = services.current_version()
    rows = rule_rows()
    chosen = RuleFilter(request.GET.get("q", "").strip(), request.GET.get("state", ""))
    return {
        "version": version,
        "all_rows": rows,
        "rows": chosen.chosen(rows),
        "filter": chosen,
        "step_open": "create_ticket" in request.GET.get("opened-sections", "create_ticket"),
        "states": chosen.choices(rows),
        "day": last_day(),
        "tickets": ticket_counts(),
        "may_write": signed_in(request).may(Permission.RULES_WRITE),
    }


def _rule(rule_id: UUID) -> Rule:
    rule = rule_by_id(rule_id)
    if rule is None:
        raise Http404
    return rule


def _row_of(rule: Rule, rows: Sequence[RuleRow]) -> RuleRow:
    for row in rows:
        if row.rule.pk == rule.pk:
            return row
    raise Http404


def _row(rule: Rule) -> str:
    return f"{reverse('automation:rule-list')}#rule-{rule.pk}"


def _changed(change: services.RulesChanged) -> str:
    who = change.by.name if change.by else "The system"
    return f"{who} changed the order a moment ago."


def _order_refused(request: HttpRequest, why: str, *, status: int) -> HttpResponse:
    """The list as it is now, and why the order was not saved."""
    toast(
        request,
        "Order not saved",
        f"{why} The list now shows the current order.",
        level=messages.ERROR,
    )
    template = (
        "automation/_order_refused.html"
        if "HX-Request" in request.headers
        else "automation/rules.html"
    )
    return render(request, template, _list(request), status=status)


def _say_moved(
    request: HttpRequest,
    moved: UUID | None,
    *,
    before: Sequence[Rule],
    after: Sequence[UUID],
    version: int,
) -> None:
    names = {rule.pk: rule.name for rule in before}
    title = "Order restored"
    if moved in names:
        title = f"{names[moved]} moved to position {after.index(moved) + 1}"
    toast(
        request,
        title,
        "Applies to findings from now on.",
        undo_url=reverse("automation:rule-reorder"),
        undo_data={"ids": ",".join(str(rule.pk) for rule in before), "version": str(version)},
    )
