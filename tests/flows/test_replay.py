"""Semantics §2.5 and §2.8: what explains a decision sees what the decision saw."""

import json
from datetime import datetime

import pytest

from automation.decisions.explain import explain_finding
from automation.models import Decision
from automation.pipeline import evaluate_all
from findings.facts import CORE_FIELDS, DECISION_FACTS, NOT_IN_RULES, Facts, Severity
from findings.models import Finding
from findings.overrides import set_severity

pytestmark = pytest.mark.django_db

PATHS = [path for path in CORE_FIELDS if path.partition(".")[0] not in NOT_IN_RULES]


def query_for(path: str, finding: Finding) -> str:
    """The query that only this finding's own value of the field satisfies."""
    value = getattr(finding, CORE_FIELDS[path].column)
    return f"@{path}:{json.dumps(value.isoformat() if isinstance(value, datetime) else value)}"


@pytest.mark.parametrize("path", PATHS)
def test_it_replays_a_decision_on_any_field_that_a_rule_may_use(path, make_rule, report, analyst):
    report(
        description="Found by hand",
        resource_name="api",
        resource_type="host",
        attributes={"cvss": 7.5},
    )
    set_severity([Finding.objects.get().pk], severity=Severity.LOW, actor=analyst)
    finding = Finding.objects.get()
    make_rule(query=query_for(path, finding))

    evaluate_all()

    explanation = explain_finding(finding)
    assert Decision.objects.get().outcome == "ticketed"
    assert [trace.state for trace in explanation.traces] == ["matched"]
    assert explanation.limit == explanation.traces[0].rule.action.max_tickets_per_day


def test_it_keeps_every_fact_but_those_that_change_after_the_decision():
    assert set(Facts._fields) - set(DECISION_FACTS) == {
        *("status", "workflow"),
        *("ticket", "ticket_key", "ticket_rule_id", "ticket_status"),
        *("mute_rule_id", "unmuted_rule_id", "is_mute_lifted"),
        *("is_in_inbox", "due_at", "due_rule_id"),
    }
