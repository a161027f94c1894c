from __future__ import annotations

from django.urls import path

from automation.api.rules import RuleOrderView, RulesView, RuleView

app_name = "automation-api"

_RULES = "security/findings/automation/ticket_creation_rules"

urlpatterns = [
    path(_RULES, RulesView.as_view(), name="rule-list"),
    path(f"{_RULES}/reorder", RuleOrderView.as_view(), name="rule-reorder"),
    path(f"{_RULES}/<rule_id>", RuleView.as_view(), name="rule-show"),
]
