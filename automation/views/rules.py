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

from automation.destinations.check import require_destinations_of
from automation.forms import MoveForm, OrderForm
from automation.forms.lists import Row
from automation.kinds.base import EffectKind
from automation.kinds.registry import KINDS
from automation.models import Rule
from automation.rules import services
from automation.rules.data import InvalidRule
from automation.rules.defaults import disable_default, enable_default
from automation.rules.selectors import ordered_rules, rule_by_id, ticket_counts
from automation.templatetags.automation import tickets_stay
from automation.views.editor_page import RECHECKING
from automation.views.gone import gone_is_404
from automation.views.steps import Step, page_of_steps
from config.accounts.access import require, signed_in
from config.accounts.form_submissions import submit_once
from config.accounts.roles import Permission
from config.lib.toasts import toast


@require(Permission.RULES_READ)
@require_GET
def list_rules(request: HttpRequest) -> HttpResponse:
    return render(request, "automation/rules.html", page_of_steps(request))


@require(Permission.RULES_READ)
@require_GET
def live_rules(request: HttpRequest) -> HttpResponse:
    """What changes by itself: meters, last tickets, numbers of the day."""
    return render(request, "automation/_live.html", page_of_steps(request))


@require(Permission.RULES_WRITE)
@require_POST
def reorder_rules(request: HttpRequest) -> HttpResponse:
    form = OrderForm(request.POST)
    if not form.is_valid():
        return _order_refused(request, "The order that was sent is incomplete.", status=422)
    said = form.cleaned_data
    kind = said["kind"]
    before = ordered_rules(kind)
    try:
        version = services.reorder(
            kind, said["ids"], version=said["version"], actor=signed_in(request)
        )
    except services.RulesChanged as change:
        return _order_refused(request, _changed(change), status=409)
    except services.InvalidOrder:
        return _order_refused(request, "Every rule has to be in it once.", status=422)
    _say_moved(request, said["moved"], before=before, after=said["ids"], version=version)
    if "HX-Request" in request.headers:
        return render(request, "automation/_order_saved.html", page_of_steps(request))
    return redirect("automation:rule-list")


@require(Permission.RULES_WRITE)
@require_http_methods(["GET", "POST"])
@gone_is_404
def move_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    rule = _rule(rule_id)
    form = MoveForm(request.POST or None)
    if request.method == "GET" or not form.is_valid():
        step, row = _found(page_of_steps(request), rule)
        context = {"form": form, "step": step, "row": row}
        status = 200 if request.method == "GET" else 422
        return render(request, "automation/rule_move.html", context, status=status)
    said = form.cleaned_data
    before = ordered_rules(rule.kind)
    try:
        version = services.move_rule(
            rule.pk, to=said["position"] - 1, version=said["version"], actor=signed_in(request)
        )
    except services.RulesChanged as change:
        return _order_refused(request, _changed(change), status=409)
    except services.InvalidOrder:
        return _order_refused(request, "The order that was seen is unknown.", status=422)
    after = [each.pk for each in ordered_rules(rule.kind)]
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
        _enable(request, rule)
    elif rule.enabled:
        services.disable_rule(rule.pk, actor=actor)
        toast(
            request,
            f"{rule.name} disabled",
            RECHECKING if _acts_on_existing(rule) else "Existing tickets stay attached.",
            undo_url=reverse("automation:rule-toggle", args=[rule.pk]),
            undo_data={"enabled": "on"},
        )
    if "HX-Request" not in request.headers:
        return redirect(_row(rule))
    context = page_of_steps(request)
    context["step"], context["changed"] = _found(context, rule)
    return render(request, "automation/_rule_changed.html", context)


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def toggle_default(request: HttpRequest, kind: str, rule_id: str) -> HttpResponse:
    """Switch a rule that comes with the product; nothing else of it can change."""
    if kind not in KINDS:
        raise Http404
    switch = enable_default if request.POST.get("enabled") else disable_default
    row = switch(KINDS[kind], rule_id, actor=signed_in(request))
    said = "enabled" if row.spec.enabled else "disabled"
    toast(request, f"{row.spec.name} {said}", RECHECKING, by_rule=row.spec.enabled)
    if "HX-Request" not in request.headers:
        return redirect("automation:rule-list")
    page = page_of_steps(request)
    page["step"] = next(step for step in page["steps"] if step.kind.name == kind)
    return render(request, "automation/_default_changed.html", page | {"row": row})


def _enable(request: HttpRequest, rule: Rule) -> None:
    try:
        unknown = require_destinations_of([rule.pk])
        services.enable_rule(rule.pk, actor=signed_in(request))
    except InvalidRule as refusal:
        messages.error(request, f"{rule.name} stays off. {' '.join(refusal.errors.values())}")
    else:
        text = f"{_applies(rule)} {unknown}".strip()
        toast(request, f"{rule.name} enabled", text, by_rule=True)


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def deliver_waiting(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Send what waited for the rule to be repaired."""
    rule = _rule(rule_id)
    if not rule.enabled:
        messages.error(request, f"{rule.name} is off. Fix the configuration and enable it first.")
        return redirect(_row(rule))
    try:
        unknown = require_destinations_of([rule.pk])
    except InvalidRule as refusal:
        messages.error(request, f"Nothing was sent. {' '.join(refusal.errors.values())}")
        return redirect(_row(rule))
    number = services.deliver_waiting(rule.pk, actor=signed_in(request))
    toast(
        request,
        f"{number:,} ticket{'' if number == 1 else 's'} on the way to Jira",
        f"They are created as {rule.name} is now. {unknown}".strip(),
        by_rule=True,
    )
    return redirect(_row(rule))


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def duplicate_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    rule = _rule(rule_id)
    try:
        return submit_once(request, lambda: _duplicate(request, rule))
    except InvalidRule as refusal:
        messages.error(request, f"{rule.name} was not copied. {refusal}")
        return redirect(_row(rule))


def _duplicate(request: HttpRequest, rule: Rule) -> HttpResponse:
    copy = services.duplicate_rule(rule.pk, actor=signed_in(request))
    toast(request, f"{copy.name} created", "It is off until you switch it on.", by_rule=True)
    return redirect("automation:rule-edit", copy.pk)


@require(Permission.RULES_WRITE)
@require_http_methods(["GET", "POST"])
@gone_is_404
def delete_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    rule = _rule(rule_id)
    if request.method == "POST":
        services.delete_rule(rule.pk, actor=signed_in(request))
        text = RECHECKING if _acts_on_existing(rule) else "Its tickets stay attached."
        toast(request, f"{rule.name} deleted", text)
        return redirect("automation:rule-list")
    context = {
        "rule": rule,
        "text": _if_deleted(rule),
        "question": f"Delete “{rule.name}”?",
        "label": "Delete rule",
        "cancel_url": reverse("automation:rule-list"),
    }
    return render(request, "automation/rule_delete.html", context)


def _rule(rule_id: UUID) -> Rule:
    rule = rule_by_id(rule_id)
    if rule is None:
        raise Http404
    return rule


def _found(page: dict[str, Any], rule: Rule) -> tuple[Step, Row]:
    """The rule's step and row on the page."""
    for step in page["steps"]:
        for row in step.all_rows:
            if row.rule.pk == rule.pk:
                return step, row
    raise Http404


def _acts_on_existing(rule: Rule) -> bool:
    return KINDS[rule.kind].acts_on_existing


def _applies(rule: Rule) -> str:
    return RECHECKING if _acts_on_existing(rule) else "Applies to findings from now on."


def _if_deleted(rule: Rule) -> str:
    kind = KINDS[rule.kind]
    if isinstance(kind, EffectKind):
        return kind.if_deleted(kind.held_by(rule.pk).count())
    return tickets_stay(ticket_counts(), rule)


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
    return render(request, template, page_of_steps(request), status=status)


def _say_moved(
    request: HttpRequest,
    moved: UUID | None,
    *,
    before: Sequence[Rule],
    after: Sequence[UUID],
    version: int,
) -> None:
    names = {rule.pk: rule.name for rule in before}
    kind = before[0].kind
    title = "Order restored"
    if moved in names:
        title = f"{names[moved]} moved to position {after.index(moved) + 1}"
    toast(
        request,
        title,
        _applies(before[0]),
        undo_url=reverse("automation:rule-reorder"),
        undo_data={
            "kind": kind,
            "ids": ",".join(str(rule.pk) for rule in before),
            "version": str(version),
        },
    )
