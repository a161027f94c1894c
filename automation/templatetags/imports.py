"""What the page of an import shows of rules and tickets."""

from __future__ import annotations

from django import template

from automation.import_counts import RulesResult, rules_result
from findings.models import Import

register = template.Library()


@register.simple_tag
def import_rules(run: Import) -> RulesResult | None:
    """None before it is taken in."""
    return rules_result(run) if run.state == Import.State.DONE else None
