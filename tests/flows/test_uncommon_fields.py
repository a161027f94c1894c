"""A rule for a space that requires what few ask for: by API, from a file, to Jira and back."""

from __future__ import annotations

import pytest

from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule
from automation.pipeline import evaluate_all
from automation.rule_file.parse import read_rules
from automation.rule_file.plan import plan_rules
from automation.rule_file.serialize import write_rules
from automation.rules.services import create_rule
from findings.services import record
from tests.desk import REQUIRED
from tests.factories import ProjectFactory, SourceFactory, reported, ticket_rule
from tests.jira_places import destination_at
from ticketing.delivery import deliver_due
from ticketing.models import ExternalIssue
from ticketing.trackers.jira.sandbox.defaults import NUMBER, OF_AN_APP

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(jira):
    return destination_at(jira, space="DESK", project=ProjectFactory(key="RISK"))


def rule_with(place, fields) -> Rule:
    said = {"finding_types": ["library_vulnerability"], "max_tickets_per_day": 9}
    known = {"name": "Libraries", "target": "jira", "project_id": place.project_id}
    return create_rule(ticket_rule(**known, **said, fields=fields), actor=None)


def delivered(jira) -> list[dict]:
    record(reported(1), source=SourceFactory())
    evaluate_all()
    deliver_due()
    return [one.json["fields"] for one in jira.log.matching("POST /issue$")]


def test_the_values_of_a_rule_reach_jira_unchanged(place, jira):
    rule = rule_with(place, REQUIRED)
    text = write_rules([rule], with_ids=True)
    entries = read_rules(text)
    [entry] = entries.rules[NAME]
    assert entry.data.action.fields == REQUIRED
    assert plan_rules(entries).is_empty

    [sent] = delivered(jira)

    assert {name: sent[name] for name in REQUIRED} == REQUIRED
    assert ExternalIssue.objects.get().issue_key == "DESK-1"


def test_jira_s_refusal_breaks_the_rule_and_names_the_field(place, jira):
    rule = rule_with(place, REQUIRED | {OF_AN_APP.id: "high"})

    delivered(jira)

    rule.refresh_from_db()
    assert not rule.enabled
    assert rule.auto_disabled_reason == (
        "Field Risk does not take its value in DESK: Risk needs an object with a numeric score."
    )
    assert ExternalIssue.objects.get().field == OF_AN_APP.id


def test_a_finding_that_cannot_fill_a_required_field_breaks_no_rule(place, jira):
    rule = rule_with(place, REQUIRED | {OF_AN_APP.id: "{{tags.no-such-tag}}"})

    delivered(jira)

    rule.refresh_from_db()
    issue = ExternalIssue.objects.get()
    assert rule.enabled
    assert (issue.state, issue.field) == ("blocked", OF_AN_APP.id)
    assert issue.reason == "Risk is required in DESK, and there is nothing to fill it with."


def test_what_was_left_out_is_told_on_the_case_and_in_the_log(place, jira, as_user, admin):
    rule_with(place, REQUIRED | {NUMBER.id: "{{title}}"})

    delivered(jira)

    issue = ExternalIssue.objects.select_related("case").get()
    told = "Left out: CVSS score (“Outdated library” is not a number)."
    browser = as_user(admin)
    assert told in browser.get(f"/cases/{issue.case.key}").content.decode()
    assert told in browser.get("/settings/integrations/deliveries").content.decode()
