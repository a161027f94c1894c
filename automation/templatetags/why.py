"""What pages of findings and tickets show of rules: their names, and why one matched."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from automation.decisions.explain import (
    Explanation,
    Grouping,
    explain_finding,
    reason_without_ticket,
)
from automation.decisions.steps import StepExplanation, explain_steps
from automation.models import Decision, Rule
from automation.rules.data import action_of
from automation.rules.selectors import rule_names
from findings.explorer.facets import Choice
from findings.models import Finding
from ticketing.models import Case, CaseGroup

register = template.Library()

_RULE_ID = re.compile(r"@ticket\.rule:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_MAX_NAMED = 50

register.simple_tag(reason_without_ticket)


@register.simple_tag
def named_rules(choices: Sequence[Choice]) -> list[Choice]:
    """The values of the rule facet under the rules' names; one statement."""
    names = rule_names({UUID(choice.value) for choice in choices if _is_uuid(choice.value)})
    return [
        choice._replace(label=names.get(UUID(choice.value), "Deleted rule"))
        if _is_uuid(choice.value)
        else choice
        for choice in choices
    ]


@register.simple_tag
def rules_named_in(query: str) -> str:
    """JSON: the id of each rule that the query names → the rule's name; one statement at most."""
    ids = {UUID(found) for found in _RULE_ID.findall(query)[:_MAX_NAMED]}
    names = rule_names(ids) if ids else {}
    return json.dumps({str(rule_id): name for rule_id, name in names.items()})


@register.simple_tag
def rule_link(rule_id: UUID, name: str) -> SafeString:
    """The rule under its present name, or the name it had with "(deleted)"."""
    if now := rule_names({rule_id}).get(rule_id):
        url = reverse("automation:rule-edit", args=[rule_id])
        return format_html('<a class="link" href="{}">{}</a>', url, now)
    return format_html('<b>{}</b> <span class="sub">(deleted)</span>', name)


@register.simple_tag
def rule_takes_more(row: CaseGroup, case: Case) -> str:
    """Whether the rule adds more findings to the ticket of a group, in words; one statement."""
    rule = Rule.objects.filter(pk=row.rule_id).first()
    if rule is None:
        return "No: the rule was deleted"
    action = action_of(rule)
    if list(action.grouping) != row.group_by:
        return "No: the rule groups otherwise now"
    if not rule.enabled:
        return "No: the rule is disabled"
    if case.status != Case.Status.CLOSED:
        return "Yes, while it is open"
    return "Yes, and it opens again" if action.reopens_closed else "No: closed"


@register.inclusion_tag("automation/_why.html")
def why(finding: Finding) -> dict[str, Any]:
    """The finding's newest decision, rule by rule."""
    explanation = explain_finding(finding)
    if explanation is None:
        return {"explanation": None, "waits": finding.waits}
    steps = explain_steps(finding)
    named = {trace.rule.id for step in steps for trace in step.tried if not trace.rule.is_default}
    rules_now = {str(rule_id) for rule_id in explanation.rules_now}
    rules_now |= {str(rule_id) for rule_id in rule_names({UUID(each) for each in named})}
    tried = [trace for trace in explanation.traces if trace.state != "not_evaluated"]
    seconds, grouping = explanation.seconds_to_ticket, explanation.grouping
    return {
        "explanation": explanation,
        "decision": explanation.decision,
        "traces": tried,
        "finding": finding,
        "steps": steps,
        "rules_now": rules_now,
        "heading": _heading(explanation),
        "limit": _limit(explanation),
        "outcome": _outcome(explanation),
        "ending": _ending(explanation),
        "grouping": grouping,
        "shares": _shares(explanation, grouping),
        "after": "" if seconds is None else _duration(seconds),
        "issue_key": _issue_key(finding, explanation),
    }


@register.simple_tag
def step_heading(step: StepExplanation) -> str:
    """ "matched at rule 1 of 3", "3 rules · no match"."""
    if step.is_skipped:
        return "not evaluated: the finding is muted"
    number = step.ordered
    rules = f"{number} rule{'' if number == 1 else 's'}" if number else "no rules"
    if (matched := step.matched) is None:
        return f"{rules} · no match" if number else rules
    if matched.rule.is_default:
        return f"{rules} · matched by a default rule"
    return f"matched at rule {matched.index + 1} of {number}"


def _issue_key(finding: Finding, explanation: Explanation) -> str:
    """The key in Jira of the ticket that the decision made, if the finding still has it."""
    if explanation.case is None or finding.ticket_key != explanation.case.key:
        return ""
    keys = finding.workflow.get("integrations", {}).get("jira", ())
    return str(keys[0]) if keys else ""


def _duration(seconds: float) -> str:
    """ "0.4 s", "38 s", "5 min", "3 h", "12 d": as exact as it is of use."""
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3_600, 48)):
        if seconds < length * most:
            digits = 1 if seconds < 10 else 0
            return f"{seconds / length:.{digits}f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def _shares(explanation: Explanation, grouping: Grouping | None) -> str:
    """What follows "Created SEC-14": ", one ticket per package, with 20 others"."""
    if grouping is None or grouping.lacks:
        return ""
    number = explanation.sharing
    is_added = explanation.decision.outcome == Decision.Outcome.GROUPED
    others = f", with {number:,} other{'' if number == 1 else 's'}" if is_added and number else ""
    return f", one ticket per {grouping.label}{others}"


def _heading(explanation: Explanation) -> str:
    number = len(explanation.traces)
    if (matched := _matched(explanation)) is not None:
        return f"matched at rule {matched + 1} of {number}"
    return f"{number} rule{'' if number == 1 else 's'} · no match" if number else "no rules"


def _limit(explanation: Explanation) -> str:
    decision, limit = explanation.decision, explanation.limit
    if decision.outcome == Decision.Outcome.GROUPED:
        return "No slot: it was added to an open ticket"
    if decision.outcome == Decision.Outcome.OVER_LIMIT:
        return f"{limit} of {limit} were used already"
    if decision.used_before is None:
        return ""
    return f"{decision.used_before} of {limit} used before this ticket"


_SAYS = {
    Decision.Outcome.OVER_LIMIT: "No ticket: the rule had reached its daily limit.",
    Decision.Outcome.ALREADY_TICKETED: "No new ticket: the finding had one already.",
    Decision.Outcome.MUTED: "The finding was muted, so it was not ticketed.",
    Decision.Outcome.NO_RULES: "No rule was enabled, so none could match.",
    Decision.Outcome.NO_MATCH: "No rule matched, so no ticket was created.",
}


def _outcome(explanation: Explanation) -> str:
    outcome = Decision.Outcome(explanation.decision.outcome)
    if outcome is Decision.Outcome.ERROR:
        return f"No ticket: {explanation.decision.reason}"
    return _SAYS.get(outcome, "")


def _ending(explanation: Explanation) -> str:
    matched, last = _matched(explanation), len(explanation.traces)
    if matched is None or matched + 1 == last:
        return ""
    first = matched + 2
    if first == last:
        return f"Rule {last} was not evaluated because rule {matched + 1} matched."
    return f"Rules {first} to {last} were not evaluated because rule {matched + 1} matched."


def _matched(explanation: Explanation) -> int | None:
    return next((trace.index for trace in explanation.traces if trace.state == "matched"), None)


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False
