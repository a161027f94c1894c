"""What a rule said over time, and the rules that were deleted: from both, a way back."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from automation.rule_history import History, deleted_rules, history_of
from automation.rules.addresses import address_in_list
from automation.rules.data import InvalidRule
from automation.rules.order import RulesChanged
from automation.rules.restore import RuleIsThere, restore_deleted, restore_version
from automation.undo import DELETE, EDIT, outcome_of
from automation.views.gone import gone_is_404
from config.accounts.access import require, signed_in
from config.accounts.models import User
from config.accounts.roles import Permission
from config.accounts.undo.acts import offered_rows
from config.lib.toasts import toast


@require(Permission.RULES_READ)
@require_GET
def show_history(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    history = history_of(rule_id)
    if history is None:
        raise Http404
    person = signed_in(request)
    context = {
        "history": history,
        "acts": _acts(history, person),
        "may_write": person.may(Permission.RULES_WRITE),
    }
    return render(request, "automation/rule_history.html", context)


def _acts(history: History, person: User) -> dict[int, UUID]:
    """Row of the history → the act that it tells of: the last one alone can still be undone."""
    kind = DELETE if history.is_deleted else EDIT
    rows = offered_rows(str(history.rule_id), person=person)[:1]
    return {(row.after or {})["history"]: row.act_id for row in rows if row.act.kind == kind}


@require(Permission.RULES_READ)
@require_GET
def list_deleted(request: HttpRequest) -> HttpResponse:
    may_write = signed_in(request).may(Permission.RULES_WRITE)
    context = {"deleted": deleted_rules(), "may_write": may_write}
    return render(request, "automation/deleted_rules.html", context)


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def restore_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Bring a deleted rule back, however long ago that was."""
    try:
        restored = restore_deleted(rule_id, actor=signed_in(request))
    except RuleIsThere as there:
        messages.warning(request, f"{there.rule.name} is not deleted.")
        return redirect(address_in_list(rule_id))
    except InvalidRule as refusal:
        messages.error(request, f"The rule was not restored. {refusal}")
        return redirect("automation:rule-deleted")
    outcome = outcome_of(restored)
    level = messages.WARNING if outcome.is_warning else messages.SUCCESS
    by_rule = not outcome.is_warning
    toast(request, outcome.title, outcome.text, level=level, by_rule=by_rule, link=outcome.link)
    return redirect(address_in_list(rule_id))


@require(Permission.RULES_WRITE)
@require_POST
@gone_is_404
def restore_version_of(request: HttpRequest, rule_id: UUID, history_id: int) -> HttpResponse:
    try:
        rule = restore_version(rule_id, history_id, actor=signed_in(request))
    except (InvalidRule, RulesChanged) as refusal:
        messages.error(request, f"The version was not restored. {refusal}")
    else:
        state = "on" if rule.enabled else "off"
        toast(request, f"Rule {rule.name} restored", f"It stays {state}.", by_rule=True)
    return redirect("automation:rule-history", rule_id)
