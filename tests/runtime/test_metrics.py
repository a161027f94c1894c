from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from automation.models import Decision
from config.accounts.api_keys import create_api_key
from config.accounts.roles import Permission
from config.runtime import heartbeats
from tests.factories import FindingFactory, JiraAccountFactory
from tests.ticketing.outbox import promised
from ticketing.models import ExternalIssue

pytestmark = pytest.mark.django_db
FAR = {"REMOTE_ADDR": "10.0.0.5"}


@pytest.fixture
def key():
    return create_api_key("prometheus", scopes=[Permission.FINDINGS_READ], actor=None)[1]


def test_it_counts_what_waits_and_what_was_decided_today(client, frozen):
    now = timezone.now()
    heartbeats.record(now - timedelta(seconds=4))
    waits = FindingFactory(unevaluated_since=now - timedelta(seconds=90))
    for created_at in (now, now - timedelta(days=1)):
        Decision.objects.create(
            finding=waits,
            requested_at=created_at,
            outcome="no_match",
            rule_set_version=0,
            facts={},
            day=created_at.date(),
            created_at=created_at,
        )
    lines = client.get("/metrics").content.decode().splitlines()
    assert "fa_unevaluated_findings 1.0" in lines
    assert "fa_unevaluated_age_seconds 90.0" in lines
    assert 'fa_decisions_today{outcome="no_match"} 1.0' in lines
    assert 'fa_decisions_today{outcome="ticketed"} 0.0' in lines
    assert f'fa_queue_beat_age_seconds{{cluster="{heartbeats.cluster_name()}"}} 4.0' in lines


def test_it_counts_what_is_overdue(client):
    for days, severity in ((-1, "critical"), (0, "critical"), (-9, "low")):
        FindingFactory(due_at=timezone.now() + timedelta(days=days), severity=severity)
    lines = client.get("/metrics").content.decode().splitlines()
    for severity, number in (("critical", 1), ("high", 0), ("low", 1)):
        assert f'fa_findings_overdue{{severity="{severity}"}} {number}.0' in lines


def test_it_asks_the_database_once_for_each_number(client, django_assert_num_queries):
    with django_assert_num_queries(8):
        answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_it_answers_a_key_from_anywhere(client, key):
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {key}"}, **FAR)
    assert answer.status_code == 200


def test_it_answers_a_person_who_may_read_findings(as_user, viewer):
    assert as_user(viewer).get("/metrics", **FAR).status_code == 200


def test_it_refuses_others(client):
    assert client.get("/metrics", **FAR).status_code == 401


def test_it_refuses_a_key_without_the_scope(client):
    _, raw = create_api_key("ci", scopes=[Permission.FINDINGS_INTAKE], actor=None)
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {raw}"}, **FAR)
    assert answer.status_code == 403


def test_it_does_not_take_a_proxy_here_for_a_person_here(client):
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.5"}).status_code == 401
    with override_settings(PROXY_COUNT=1):
        assert client.get("/metrics").status_code == 401
    for header in ("Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"):
        assert client.get("/metrics", headers={header: "127.0.0.1"}).status_code == 401


def test_it_asks_for_a_key_where_a_silent_proxy_could_be_here(client, key):
    """It adds no header at all, so that everybody comes from this machine."""
    with override_settings(BASE_URL="https://findings.example.com"):
        assert client.get("/metrics").status_code == 401
        headers = {"Authorization": f"Bearer {key}"}
        assert client.get("/metrics", headers=headers).status_code == 200


def test_it_tells_the_state_of_each_account(client, frozen):
    now = timezone.now()
    JiraAccountFactory(name="Well")
    JiraAccountFactory(
        name="Ill",
        state="broken",
        problem="No.",
        problem_at=now - timedelta(seconds=70),
        probe_at=now + timedelta(seconds=20),
    )
    lines = client.get("/metrics").content.decode().splitlines()
    assert 'fa_jira_account_state{account="Well",state="connected"} 1.0' in lines
    assert 'fa_jira_account_state{account="Ill",state="connected"} 0.0' in lines
    assert 'fa_jira_account_state{account="Ill",state="broken"} 1.0' in lines
    assert 'fa_jira_account_suspended_seconds{account="Ill"} 70.0' in lines
    assert 'fa_jira_account_next_check_seconds{account="Ill"} 20.0' in lines
    assert 'fa_jira_account_suspended_seconds{account="Well"} 0.0' in lines


def test_it_counts_promises_by_state_and_says_how_old_they_are(client, frozen):
    issue = promised()
    ExternalIssue.objects.update(created_at=timezone.now() - timedelta(seconds=30))
    lines = client.get("/metrics").content.decode().splitlines()
    assert 'fa_external_issues{state="pending"} 1.0' in lines
    assert 'fa_external_issues{state="unsure"} 0.0' in lines
    assert 'fa_external_issue_age_seconds{state="pending"} 30.0' in lines
    assert 'fa_external_issue_age_seconds{state="blocked"} 0.0' in lines
    assert not any(issue.key in line for line in lines)
