"""A database of the first release, in which a rule's action was columns, answers as before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction

from automation.decisions.conservation import violations
from automation.decisions.explain import explain_finding, reason_without_ticket
from automation.decisions.facts import TRIGGERS
from automation.models import Decision, Rule
from automation.rules.active import all_active_rules
from automation.rules.data import data_of
from findings.models import Finding
from tests.factories import FindingFactory, ProjectFactory, opened_case, ticket_rule
from tests.migrations import migrate, migrating, newest
from ticketing.attachments import Subject
from ticketing.models import Case

BEFORE = ("automation", "0005_evaluation_attempts")
AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ALL, FULL, LOST = (UUID(int=n) for n in (1, 2, 3))
DECISIONS = 10_000
LAST = {
    "ticketed": {"rule_id": ALL, "used_before": 3},
    "over_limit": {"rule_id": FULL},
    "error": {"rule_id": LOST, "reason": "The case project does not exist."},
    "no_match": {},
    "muted": {},
}
ANSWERS = {
    "ticketed": "",
    "over_limit": "Rule 2 matched but reached its daily limit of 7.",
    "error": "Rule 3 matched but is broken: The case project does not exist.",
    "no_match": "No rule matched.",
    "muted": "It was muted when it was evaluated.",
}


@pytest.fixture
def first_release():
    with migrating(BEFORE, [TRIGGERS]):
        yield migrate(BEFORE)


def columns(number, pk, project, limit, query):
    return {
        "id": pk,
        "name": f"Rule of {number}",
        "position": number,
        "finding_types": ["library_vulnerability"],
        "query": query,
        "target": "case_management",
        "project_id": project.pk,
        "max_tickets_per_day": limit,
        "fields": None,
        "assignee_id": None,
    }


def fill(apps, project):
    """Three rules with a row of history each, and their version in the flat shape."""
    said = [(ALL, 10, "env:prod"), (FULL, 7, "env:dev"), (LOST, 5, "env:lost")]
    rules = [columns(number, pk, project, *rest) for number, (pk, *rest) in enumerate(said)]
    flat = []
    for rule in rules:
        apps.get_model("automation", "Rule").objects.create(**rule)
        apps.get_model("automation", "HistoricalRule").objects.create(
            **rule, history_date=AT, history_type="+"
        )
        texts = {"id": str(rule["id"]), "project_id": str(project.pk), "enabled": True}
        flat.append({k: v for k, v in rule.items() if k != "position"} | texts)
    apps.get_model("automation", "RuleSet").objects.create(kind="ticket_creation", version=1)
    apps.get_model("automation", "RuleSetVersion").objects.create(
        kind="ticket_creation", version=1, rules=flat
    )


@transaction.atomic
def decide(apps, findings, case):
    """Each finding again and again without a match, and then once with what counts."""
    tags = {"ticketed": "env:prod", "over_limit": "env:dev", "error": "env:lost"}
    rows = []
    for (outcome, more), finding in zip(LAST.items(), findings, strict=True):
        facts = {"finding_type": finding.finding_type, "severity": "high", "tags": []}
        each = DECISIONS // len(findings)
        for number in range(each):
            row = {"outcome": "no_match", "facts": facts}
            if number == each - 1:
                own = [tags[outcome]] if outcome in tags else []
                row = {"outcome": outcome, "facts": facts | {"tags": own}, **more}
                row["case_id"] = case.pk if outcome == "ticketed" else None
            at = AT + timedelta(seconds=number)
            row |= {"requested_at": at, "created_at": at, "day": at.date(), "rule_set_version": 1}
            rows.append(apps.get_model("automation", "Decision")(finding_id=finding.pk, **row))
    apps.get_model("automation", "Decision").objects.bulk_create(rows, batch_size=2_000)
    for outcome in ("ticketed", "over_limit", "error"):
        apps.get_model("automation", "DailyUsage").objects.create(
            rule_id=LAST[outcome]["rule_id"], day=AT.date(), **{outcome: 1}
        )


@pytest.mark.django_db(transaction=True)
def test_it_gives_the_same_answers_afterwards(first_release):
    project, findings = ProjectFactory(), FindingFactory.create_batch(len(LAST))
    case = opened_case(
        project, origin=Case.Origin.RULE, rule_id=ALL, findings=(Subject(findings[0].pk, {}),)
    )
    fill(first_release, project)
    decide(first_release, findings, case)
    migrate(*newest("automation"))
    for finding, (outcome, answer) in zip(_stored(findings), ANSWERS.items(), strict=True):
        explanation = explain_finding(finding)
        rule_id = LAST[outcome].get("rule_id")
        matched = [trace.rule.id for trace in explanation.traces if trace.state == "matched"]
        assert (explanation.decision.outcome, matched) == (outcome, [str(rule_id)] * bool(rule_id))
        if outcome == "ticketed":
            assert (explanation.case, explanation.limit) == (case, 10)
        else:
            assert reason_without_ticket(finding) == answer
    assert list(violations()) == []
    assert Decision.objects.filter(kind="ticket_creation").count() == DECISIONS
    _check_rules(project)


def _stored(findings):
    return Finding.objects.filter(pk__in=[finding.pk for finding in findings]).order_by("pk")


def _check_rules(project):
    """Rules, their history and the version that is in force say one thing."""
    rules = list(Rule.objects.filter(kind="ticket_creation"))
    assert [data_of(rule) for rule in rules] == [
        ticket_rule(
            name=f"Rule of {number}",
            finding_types=["library_vulnerability"],
            query=query,
            project_id=project.pk,
            max_tickets_per_day=limit,
        )
        for number, (query, limit) in enumerate([("env:prod", 10), ("env:dev", 7), ("env:lost", 5)])
    ]
    history = Rule.history.order_by("position").values_list("action", flat=True)
    assert list(history) == [rule.action for rule in rules]
    in_force = all_active_rules()["ticket_creation"].specs
    assert [spec.action for spec in in_force] == [data_of(rule).action for rule in rules]
