"""Putting a plan in force."""

from __future__ import annotations

from django.db import transaction

from automation.kinds.registry import KINDS
from automation.rule_file.plan import Plan
from automation.rules.defaults import disable_default, enable_default
from automation.rules.services import replace_rules
from config.accounts.models import User


@transaction.atomic
def apply_plan(plan: Plan, *, actor: User | None) -> None:
    """All of it or nothing. Raises RulesChanged, InvalidRule."""
    lists = {each.kind: each for each in plan.kinds}
    for name, kind in KINDS.items():  # the one order in which locks are taken
        if name in lists:
            plan_of_kind = lists[name]
            replace_rules(name, plan_of_kind.wanted, version=plan_of_kind.version, actor=actor)
        for switch in plan.switches:
            if switch.kind == name:
                change = enable_default if switch.enabled else disable_default
                change(kind, switch.id, actor=actor)
