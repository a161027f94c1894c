"""Semantics §4: what a rule with target Jira promises, in the decision's transaction."""

import pytest

from automation.decisions.conservation import violations
from automation.kinds.ticket_creation.action import Target
from automation.models import Decision
from automation.pipeline import evaluate_all, evaluate_chunk
from automation.rules import services
from automation.rules.active import all_active_rules
from automation.rules.data import action_of
from tests.factories import DestinationFactory, ticket_rule
from ticketing.models import Case, ExternalIssue, JiraAccount

pytestmark = pytest.mark.django_db

FIELDS = {
    "summary": "[{{severity}}] {{title}}",
    "labels": ["security-auto", "{{tags.team}}"],
    "customfield_10020": {"id": "10300"},
}


@pytest.fixture
def destination(project):
    return DestinationFactory(project=project)


@pytest.fixture
def jira_rule(make_rule, destination):
    def make(**said):
        return make_rule(target=Target.JIRA, **said)

    return make


def outcomes():
    return list(Decision.objects.order_by("id").values_list("outcome", flat=True))


def test_4_2_it_promises_an_issue_with_the_case(jira_rule, destination, report):
    jira_rule(fields=FIELDS)
    report(tags=("team:payments",))
    evaluate_all()

    issue = ExternalIssue.objects.get()
    assert (issue.state, issue.account, issue.space_id) == ("pending", destination.account, "10000")
    assert issue.case.attachments.count() == 1
    assert issue.case.title == "[High] Outdated library"
    assert issue.fields == {name: FIELDS[name] for name in ("labels", "customfield_10020")}
    assert issue.facts["tags"] == ["team:payments"]


def test_it_keeps_the_usual_words_without_templates(jira_rule, report):
    jira_rule(fields={"description": "Fix {{title}}."})
    report()
    evaluate_all()

    case = Case.objects.get()
    assert case.title == "Outdated library (r-0)"
    assert case.description == "Fix Outdated library."


def test_a_rule_for_cases_promises_nothing(make_rule, destination, report):
    make_rule()
    report()
    evaluate_all()

    assert not ExternalIssue.objects.exists()


def test_3_3_the_limit_notice_becomes_an_issue_too(jira_rule, report):
    jira_rule(limit=2, fields=FIELDS)
    report(3, tags=("team:payments",))
    evaluate_all()

    assert outcomes() == ["ticketed", "ticketed", "over_limit"]
    notice = ExternalIssue.objects.get(case__origin=Case.Origin.LIMIT_NOTICE)
    assert notice.case.title.startswith("Rule “Libraries” reached its daily limit of 2")
    assert notice.fields["customfield_10020"] == {"id": "10300"}
    assert notice.facts["resource_id"] == "r-1"
    assert list(violations()) == []


def test_a_lowered_limit_s_notice_has_facts_as_well(jira_rule, report, editor):
    rule = jira_rule(limit=2, fields=FIELDS)
    report()
    evaluate_all()
    lowered = ticket_rule(
        name=rule.name,
        finding_types=rule.finding_types,
        project_id=action_of(rule).project_id,
        target=action_of(rule).target,
        max_tickets_per_day=1,
    )
    services.edit_rule(rule.pk, lowered, actor=editor)
    report(prefix="more")
    evaluate_all()

    notice = ExternalIssue.objects.get(case__origin=Case.Origin.LIMIT_NOTICE)
    assert notice.facts["resource_id"] == "more-0"


def broken(rule):
    rule.refresh_from_db()
    return rule.auto_disabled_reason


def test_a_project_without_an_account_breaks_the_rule(make_rule, report):
    rule = make_rule(target=Target.JIRA)
    report(2)
    evaluate_all()

    assert outcomes() == ["error", "error"]
    assert broken(rule) == "No Jira account is connected to project SEC."
    assert not Case.objects.exists()
    assert list(violations()) == []


def test_a_project_that_is_none_breaks_the_rule(jira_rule, report):
    rule = jira_rule(project_id="11111111-1111-1111-1111-111111111111")
    report()
    evaluate_all()

    assert broken(rule) == "The case project does not exist."


def test_a_removed_account_breaks_the_rule(jira_rule, destination, report, frozen):
    rule = jira_rule()
    JiraAccount.objects.update(deleted_at="2026-11-20T00:00Z")
    report()
    evaluate_all()

    assert broken(rule) == "The Jira account of project SEC was removed."


def test_a_destination_switched_off_breaks_the_rule(jira_rule, destination, report):
    rule = jira_rule()
    destination.is_enabled = False
    destination.save()
    report()
    evaluate_all()

    assert broken(rule) == "The Jira integration of project SEC is switched off."


def test_an_account_whose_token_failed_keeps_the_rule_going(jira_rule, destination, report):
    JiraAccount.objects.update(state="auth_failed", problem="Jira rejected the credentials.")
    rule = jira_rule()
    report()
    evaluate_all()

    assert broken(rule) == ""
    assert ExternalIssue.objects.get().state == "pending"


def test_a_chunk_costs_the_same_statements_for_any_number(
    jira_rule, report, django_assert_num_queries
):
    jira_rule(name="None of these", query="env:none", fields=FIELDS)
    jira_rule(name="Few", limit=5, query="env:few", fields=FIELDS)
    # SQLite takes 27 of these rows with one insert.
    jira_rule(name="Many", limit=20, query="env:many", fields=FIELDS)
    all_active_rules()
    # Each chunk has the first match of a day of a rule, whose row of the day is one statement.
    report(7, prefix="few", tags=("env:few",))
    with django_assert_num_queries(25):
        assert evaluate_chunk() == 7
    report(100, prefix="many", tags=("env:many",))
    report(100, prefix="others")
    with django_assert_num_queries(25):
        assert evaluate_chunk() == 200
