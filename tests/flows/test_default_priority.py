"""A critical finding is not of medium urgency in Jira, though nobody has mapped anything."""

from __future__ import annotations

import pytest

from automation.pipeline import evaluate_all
from tests.jira_places import destination_at
from ticketing.delivery import deliver_due
from ticketing.models import ExternalIssue

pytestmark = pytest.mark.django_db
LABELS = {"labels": ["security"]}


@pytest.fixture
def place(sandbox_jira, settings, project):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return destination_at(sandbox_jira, project=project)


@pytest.mark.parametrize(
    ("severity", "fields", "priority"),
    [
        ("critical", None, "1"),
        ("high", LABELS, "2"),
        ("medium", None, "3"),
        ("low", LABELS, "4"),
        ("info", None, "5"),
        ("unknown", None, "3"),  # the default of the site
        ("critical", {"priority": {"name": "{{severity}}"}}, "1"),
        ("critical", {"priority": {"id": "4"}}, "4"),
    ],
)
def test_it_follows_the_severity(
    place, make_rule, report, sandbox_jira, severity, fields, priority
):
    make_rule(target="jira", fields=fields)
    report(severity=severity)
    evaluate_all()
    deliver_due()
    issue = ExternalIssue.objects.get()
    assert (issue.state, issue.reason) == ("created", "")
    assert sandbox_jira.issue(issue.issue_key).fields["priority"] == priority


@pytest.mark.parametrize("mapping", [{}, {"P1": "1"}, {"P1": "99"}], ids=["none", "one", "gone"])
@pytest.mark.parametrize("is_on_screen", [True, False])
def test_a_ticket_never_fails_for_it(place, make_rule, report, sandbox_jira, mapping, is_on_screen):
    place.priority_mapping = mapping
    place.save(update_fields=["priority_mapping"])
    if not is_on_screen:
        sandbox_jira.drop_field("SEC", "priority")
    rule = make_rule(target="jira")
    report(severity="critical")
    evaluate_all()
    for _ in range(3):
        deliver_due()
    assert ExternalIssue.objects.get().state == "created"
    rule.refresh_from_db()
    assert rule.enabled
