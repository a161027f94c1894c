"""The list of rules: its order, and switching, copying and deleting one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from automation.destinations.check import require_destinations_of
from automation.forms import MoveForm, OrderForm, RowForm
from automation.forms.lists import Row
from automation.kinds.base import EffectKind
from automation.kinds.registry import KINDS
from automation.models import Rule
from automation.rules import services
from automation.rules.addresses import address_in_list
from automation.rules.data import InvalidRule
from automation.rules.order import InvalidOrder, RulesChanged, order_at, order_of
from automation.rules.selectors import ordered_rules, position_of, rule_by_id, ticket_counts
from automation.templatetags.automation import tickets_stay
from automation.undo import DELETE, recorded
from automation.views.editor_page import RECHECKING
from automation.views.gone import gone_is_404
from automation.views.steps import Step, page_of_step, page_of_steps
from config.accounts.access import require, signed_in
from config.accounts.form_submissions import submit_once
from config.accounts.models import User
from config.accounts.roles import Permission
from config.accounts.undo.acts import undo_url
from config.lib.toasts import toast
from ticketing.outbox import waiting_count


@require(Permission.RULES_READ)
@require_GET
def list_rules(request: HttpRequest) -> HttpResponse:
    return render(request, "automation/rules.html", page_of_steps(request))


@require(Permission.RULES_READ)
@require_GET
def live_rules(request: HttpRequest) -> HttpResponse:
    """What changes by itself: meters, last tickets, numbers of the day."""
    return render(request, "automation/_live.html", page_of_steps(request))


@require(Permission.RULES_READ)
@require_GET
def more_rules(request: HttpRequest, kind: str) -> HttpResponse:
    """The rows from `?rule=` on; the whole list anew where the rules have changed since."""
    page = page_of_step(request, kind)
    is_seen = page["step"].is_seen
    template = "automation/_more_rules.html" if is_seen else "automation/_rules_anew.html"
    return render(request, template, page)


@require(Permission.RULES_READ)
@require_GET
@gone_is_404
def show_menu(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """What can be done with a rule."""
    rule = _rule(rule_id)
    number, total = position_of(rule)
    context = {
        "rule": rule,
        "kind": KINDS[rule.kind],
        "number": number,
        "total": total,
        "version": services.current_version(rule.kind),
        "waiting": waiting_count([rule.pk]).get(rule.pk, 0),
        "tickets": ticket_counts(),
        "is_filtered": "filtered" in request.GET,
        "may_write": signed_in(request).may(Permission.RULES_WRITE),
    }
    is_part = "HX-Request" in request.headers
    template = "automation/_rule_menu.html" if is_part else "automation/rule_menu.html"
    return render(request, template, context)


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
        version = _reorder(said, actor=signed_in(request))
    except Rule.DoesNotExist:
        return _order_refused(request, "The rule is gone.", status=409)
    except RulesChanged as change:
        return _order_refused(request, _changed(change), status=409)
    except InvalidOrder:
        return _order_refused(request, "Every rule has to be in it once.", status=422)
    moved = None if said["undone"] else said["moved"]
    _say_moved(request, moved, before=before, after=order_of(kind), version=version)
    if "HX-Request" in request.headers:
        return render(request, "automation/_order_saved.html", page_of_steps(request))
    return redirect(address_in_list(said["moved"]) if said["moved"] else "automation:rule-list")


def _reorder(said: Mapping[str, Any], *, actor: User) -> int:
    version = said["version"]
    if not said["ids"]:
        to = said["position"] - 1
        return services.move_rule(said["moved"], to=to, version=version, actor=actor)
    return services.reorder(
        said["kind"],
        said["ids"],
        start=said["start"],
        version=version,
        moved=said["moved"],
        actor=actor,
    )


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def change_in_list(request: HttpRequest, kind: str) -> HttpResponse:
    """A button of a row, without scripts: it says the rule's position in the list that is shown."""
    form = RowForm(request.POST)
    if kind not in KINDS:
        raise Http404
    if not form.is_valid():
        return _order_refused(request, "The order that was seen is unknown.", status=422)
    said = form.cleaned_data
    seen, at = order_at(kind, said["version"]), said["position"] - 1
    if at >= len(seen):
        return _order_refused(request, "The order that was seen is unknown.", status=422)
    rule = _rule(seen[at])
    if said["does"] in ("on", "off"):
        _switch(request, rule, on=said["does"] == "on")
        return redirect(_row(rule))
    return _move(request, rule, to=at - 1 if said["does"] == "up" else at + 1, seen=said["version"])


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
    return _move(request, rule, to=said["position"] - 1, seen=said["version"])


def _move(request: HttpRequest, rule: Rule, *, to: int, seen: int) -> HttpResponse:
    """To that place, counted from 0."""
    before = ordered_rules(rule.kind)
    try:
        version = services.move_rule(rule.pk, to=to, version=seen, actor=signed_in(request))
    except RulesChanged as change:
        return _order_refused(request, _changed(change), status=409)
    except InvalidOrder:
        return _order_refused(request, "The order that was seen is unknown.", status=422)
    after = order_of(rule.kind)
    _say_moved(request, rule.pk, before=before, after=after, version=version)
    return redirect(_row(rule))


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def toggle_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    rule = _rule(rule_id)
    _switch(request, rule, on=bool(request.POST.get("enabled")))
    if "HX-Request" not in request.headers:
        return redirect(_row(rule))
    context = page_of_steps(request)
    context["step"], context["changed"] = _found(context, rule)
    return render(request, "automation/_rule_changed.html", context)


def _switch(request: HttpRequest, rule: Rule, *, on: bool) -> None:
    if rule.is_broken:
        messages.error(request, f"{rule.name} is broken. Fix the configuration first.")
    elif on:
        _enable(request, rule)
    elif rule.enabled:
        services.disable_rule(rule.pk, actor=signed_in(request))
        toast(
            request,
            f"{rule.name} disabled",
            RECHECKING if _acts_on_existing(rule) else "Existing tickets stay attached.",
            undo_url=reverse("automation:rule-toggle", args=[rule.pk]),
            undo_data={"enabled": "on"},
        )


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
        number, total = position_of(rule)
        with recorded(DELETE, rule, actor=signed_in(request)) as recording:
            services.delete_rule(rule.pk, actor=signed_in(request))
        text = RECHECKING if _acts_on_existing(rule) else _kept(rule)
        text = f"{text} It ran at position {number:,} of {total:,}."
        title, undone_at = f"Rule {rule.name} deleted", undo_url(recording.act)
        toast(request, title, text, by_rule=True, undo_url=undone_at)
        return redirect("automation:rule-list")
    context = {
        "rule": rule,
        "text": _if_deleted(rule),
        "question": f"Delete “{rule.name}”?",
        "label": "Delete rule",
        "cancel_url": reverse("automation:rule-list"),
    }
    return render(request, "automation/rule_delete.html", context)


def _kept(rule: Rule) -> str:
    """Of its tickets; none of its own if it has made none."""
    number = ticket_counts().get(rule.pk, 0)
    if number == 1:
        return "Its ticket stays attached."
    return f"Its {number:,} tickets stay attached." if number else "It had created no tickets."


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
    return address_in_list(rule.pk)


def _changed(change: RulesChanged) -> str:
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
        undo_data={"kind": kind, "version": str(version)} | _way_back([*names], after, moved),
    )


def _way_back(before: Sequence[UUID], after: Sequence[UUID], moved: UUID | None) -> dict[str, str]:
    """What brings the order back: the place of the one that moved, or the part that changed."""
    others = [[pk for pk in order if pk != moved] for order in (before, after)]
    if moved in before and others[0] == others[1]:
        return {"moved": str(moved), "position": str(before.index(moved) + 1), "undone": "on"}
    differ = [at for at, (was, now) in enumerate(zip(before, after, strict=False)) if was != now]
    start, end = min(differ, default=0), max(differ, default=0)
    ids = ",".join(map(str, before[start : end + 1]))
    return {"ids": ids, "start": str(start)}
