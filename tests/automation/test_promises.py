"""The law of the outbox, proved from the tables and by asking Jira."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from automation.decisions import outbox_invariants
from automation.models import Decision
from automation.pipeline import evaluate_all
from automation.rules.services import create_rule
from findings.models import Finding
from findings.services import record
from tests.factories import (
    DestinationFactory,
    JiraAccountFactory,
    SourceFactory,
    reported,
    ticket_rule,
)
from tests.jira import sandbox_jira as sandbox_jira
from ticketing.delivery import compose, deliver_due
from ticketing.models import ExternalIssue, JiraAccount
from ticketing.trackers.registry import tracker_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(sandbox_jira, settings):
    """Three findings, their rule for Jira, and three issues there."""
    settings.ALLOW_PRIVATE_NETWORKS = True
    jira = sandbox_jira
    account = JiraAccountFactory(
        site_url=jira.url, token=jira.access.token, email=jira.access.email, user_id=jira.bot_id
    )
    space = jira.project("SEC")
    task = next(kind.id for kind in jira.site.types.values() if kind.name == "Task")
    place = DestinationFactory(account=account, space_id=space.id, type_id=task)
    create_rule(
        ticket_rule(
            name="Libraries",
            finding_types=["library_vulnerability"],
            project_id=place.project_id,
            max_tickets_per_day=50,
            target="jira",
        ),
        actor=None,
    )
    record(reported(3), source=SourceFactory())
    evaluate_all()
    assert deliver_due(seconds=30)
    return list(ExternalIssue.objects.all())


def check(*options):
    out, err = StringIO(), StringIO()
    try:
        call_command("check_conservation", *options, stdout=out, stderr=err)
    except CommandError:
        return err.getvalue()
    return out.getvalue()


def test_it_delivers_what_a_rule_promised(tickets, sandbox_jira):
    assert {issue.state for issue in tickets} == {"created"}
    there = {issue.key for issue in sandbox_jira.issues("SEC")}
    assert {issue.issue_key for issue in tickets} <= there
    assert list(outbox_invariants.violations()) == []
    assert "3 created" in check("--with-jira")


def test_it_says_how_the_sandbox_is_asked_instead_of_what_seems_lost(tickets, settings):
    address = tickets[0].account.site_url
    JiraAccount.objects.update(is_sandbox=True)
    settings.ALLOW_PRIVATE_NETWORKS = False
    with pytest.raises(CommandError, match=f"SANDBOX_JIRA_URL={address} manage.py"):
        call_command("check_conservation", "--with-jira")
    settings.SANDBOX_JIRA_URL = address
    assert "3 created" in check("--with-jira")


def test_its_findings_say_which_issue_they_have(tickets):
    issue = tickets[0]
    finding = Finding.objects.get(ticket_key=issue.case.key)
    assert finding.workflow["integrations"]["jira"] == [issue.issue_key]
    [case] = finding.workflow["integrations"]["cases"]
    assert case["jira_issue"]["key"] == issue.issue_key
    assert case["jira_issue"]["url"] == issue.url
    Finding.objects.filter(pk=finding.pk).update(workflow={})
    assert len(list(outbox_invariants.violations())) == 1


def test_it_notices_a_case_without_its_promise(tickets):
    tickets[0].tries.all().delete()
    ExternalIssue.objects.filter(pk=tickets[0].pk).delete()
    [said] = outbox_invariants.violations()
    assert "nothing was promised" in said
    assert Decision.objects.count() == 3


def test_it_notices_a_second_issue_in_jira(tickets, sandbox_jira):
    issue = tickets[0]
    with tracker_for(issue.account, pace=lambda _: None) as tracker:
        tracker.create(compose(issue), key=issue.key, attempt="another")
    assert "has 2 issues" in check("--with-jira")
    assert "nothing doubled" in check()
