"""Cases of groups, and their findings, over the public API: the same documents as any other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from automation.rules.services import create_rule
from config.accounts.roles import Permission
from tests.factories import ExternalIssueFactory, ProjectFactory, ticket_rule
from tests.pages.groups import found
from ticketing.groups import refresh_due
from ticketing.models import Case
from ticketing.states import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(machine):
    return machine(Permission.CASES_READ, Permission.FINDINGS_READ)


@pytest.fixture
def rule(db):
    project = ProjectFactory(key="SEC", name="Security")
    data = {"finding_types": ["secret"], "project_id": project.pk, "max_tickets_per_day": 5}
    return create_rule(ticket_rule(name="Libraries", group_by=["package"], **data), actor=None)


def test_a_case_lists_all_its_findings_as_insights(ask, rule):
    found(3)
    attributes = ask.get("/cases/SEC-1").json()["data"]["attributes"]
    assert {each["type"] for each in attributes["insights"]} == {"SECURITY_FINDING"}
    assert len(attributes["insights"]) == 3
    assert (attributes["comment_count"], attributes["modified_at"]) == (0, None)


def test_each_finding_names_the_rule_once(ask, rule):
    found(2)
    found(1, prefix="later")
    said = {"rule_id": str(rule.pk), "rule_name": "Libraries", "rule_type": "ticket_creation"}
    findings = ask.get("/security/findings").json()["data"]
    workflows = [each["attributes"]["attributes"]["custom"]["workflow"] for each in findings]
    assert [each["automations"] for each in workflows] == [[said]] * 3
    assert [each["integrations"]["cases"][0]["key"] for each in workflows] == ["SEC-1"] * 3


def test_what_was_added_is_told_in_a_comment_of_ours(ask, rule, frozen):
    found(1)
    issue = {"state": State.CREATED, "issue_key": "S-1", "issue_id": "1"}
    ExternalIssueFactory(case=Case.objects.get(), **issue)
    frozen.shift(timedelta(hours=2))
    found(2, prefix="later")
    refresh_due()
    [cell] = ask.get("/cases/SEC-1/timelines").json()["data"]
    assert cell["attributes"]["author"]["content"] == {"name": "Findings Automation"}
    assert "2 findings were added." in cell["attributes"]["cell_content"]["message"]
