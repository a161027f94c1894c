"""The list of rules whose tickets go to Jira: destination, faults, warnings, what waits."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from automation.kinds.ticket_creation.action import NAME, Target
from automation.models import DailyUsage, RuleCheck
from automation.rules import services
from tests.factories import DestinationFactory, ExternalIssueFactory, opened_case
from ticketing.models import ExternalIssue, JiraUser

LIST = "/settings/findings-automation"
TEAM_REQUIRED = "Field Team became required in SEC. The next ticket will fail."


@pytest.fixture
def destination(project):
    return DestinationFactory(project=project)


@pytest.fixture
def rule(make_rule, destination):
    return make_rule(target=Target.JIRA)


def blocked(rule, destination, number=1):
    for _ in range(number):
        case = opened_case(destination.project, rule_id=rule.pk, origin="rule")
        ExternalIssueFactory(case=case, account=destination.account, state="blocked")


def warn(rule):
    RuleCheck.objects.create(
        rule=rule, warning=TEAM_REQUIRED, field="customfield_10020", since=timezone.now()
    )


def test_it_shows_where_a_rule_s_tickets_go(as_user, viewer, rule):
    page = as_user(viewer).get(LIST).content.decode()

    assert "<b>Jira</b>" in page
    assert ">SEC · Task</span>" in page


def test_it_names_the_assignee_in_jira(as_user, viewer, make_rule, destination):
    JiraUser.objects.create(account=destination.account, user_id="5b1", name="Priya Natarajan")
    make_rule(target=Target.JIRA, fields={"assignee": {"accountId": "5b1"}})

    assert "Priya Natarajan" in as_user(viewer).get(LIST).content.decode()


def test_it_says_that_a_project_is_not_connected(as_user, viewer, make_rule):
    make_rule(target=Target.JIRA)

    assert ">not connected</span>" in as_user(viewer).get(LIST).content.decode()


def test_it_leads_from_a_broken_rule_to_the_field(as_user, editor, rule, destination):
    services.break_rule(
        rule.pk, reason="Field Team is now required in SEC.", field="customfield_10020"
    )
    blocked(rule, destination, 17)

    page = as_user(editor).get(LIST).content.decode()

    assert "Field Team is now required in SEC." in page
    assert "UTC · 17 tickets waiting" in page
    assert f"{rule.pk}/edit?field=customfield_10020" in page


def test_it_warns_before_a_ticket_fails(as_user, editor, viewer, rule):
    warn(rule)

    page = as_user(editor).get(LIST).content.decode()

    assert TEAM_REQUIRED in page
    assert f"{rule.pk}/edit?field=customfield_10020" in page
    seen = as_user(viewer).get(LIST).content.decode()
    assert TEAM_REQUIRED in seen
    assert "Fix configuration" not in seen


def test_it_keeps_warnings_fresh_by_itself(as_user, editor, rule):
    warn(rule)

    version = services.current_version(NAME)
    page = as_user(editor).get(f"/rules/live?versions={NAME}:{version}").content.decode()

    assert f'hx-swap-oob="innerHTML:#rule-{rule.pk} .notes"' in page
    assert TEAM_REQUIRED in page


def test_a_change_of_the_rule_ends_its_warning(as_user, editor, rule):
    warn(rule)
    services.disable_rule(rule.pk, actor=editor)
    services.enable_rule(rule.pk, actor=editor)

    assert TEAM_REQUIRED not in as_user(editor).get(LIST).content.decode()


def test_it_shows_the_key_in_jira_of_the_last_ticket(as_user, viewer, rule, destination):
    case = opened_case(destination.project)
    ExternalIssueFactory(
        case=case, account=destination.account, state="created", issue_id="1", issue_key="SEC-9"
    )
    made_last(rule, case)

    assert ">SEC-9</a>" in as_user(viewer).get(LIST).content.decode()


def made_last(rule, case):
    DailyUsage.objects.create(
        rule_id=rule.pk,
        day=timezone.now().date(),
        ticketed=1,
        last_case_id=case.pk,
        last_ticket_at=timezone.now(),
    )


@pytest.mark.parametrize("number", [5, 50])
def test_it_costs_the_same_for_any_number_of_rules(
    as_user, editor, make_rule, destination, number, django_assert_num_queries
):
    for nth in range(number):
        rule = make_rule(
            f"Rule {nth}", target=Target.JIRA, fields={"assignee": {"accountId": "5b1"}}
        )
        warn(rule)
        blocked(rule, destination)
    browser = as_user(editor)
    browser.get(LIST)
    with django_assert_num_queries(20):
        browser.get(LIST)


def test_an_unknown_rule_delivers_nothing(as_user, editor):
    assert as_user(editor).post(f"/rules/{uuid.uuid4()}/deliver").status_code == 404


def test_it_delivers_what_waited(as_user, editor, make_rule, destination):
    rule = make_rule(
        target=Target.JIRA, fields={"summary": "{{title}}", "labels": ["{{severity}}"]}
    )
    blocked(rule, destination, 2)
    browser = as_user(editor)
    assert "Deliver 2 waiting" in browser.get(LIST).content.decode()

    page = browser.post(f"/rules/{rule.pk}/deliver", follow=True).content.decode()

    assert "2 tickets on the way to Jira" in page
    assert "waiting" not in page
    [first, second] = ExternalIssue.objects.all()
    assert first.state == second.state == "pending"
    assert first.fields == {"labels": ["{{severity}}"]}


def test_it_delivers_nothing_while_the_rule_is_off(as_user, editor, rule, destination):
    blocked(rule, destination)
    services.break_rule(rule.pk, reason="Field Team is now required in SEC.")

    page = as_user(editor).post(f"/rules/{rule.pk}/deliver", follow=True).content.decode()

    assert "is off. Fix the configuration and enable it first." in page
    assert ExternalIssue.objects.get().state == "blocked"


def test_it_lets_no_viewer_deliver(as_user, viewer, rule, destination):
    blocked(rule, destination)

    assert as_user(viewer).post(f"/rules/{rule.pk}/deliver").status_code == 403
    assert "Deliver 1" not in as_user(viewer).get(LIST).content.decode()
