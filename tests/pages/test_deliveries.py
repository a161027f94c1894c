"""The delivery log."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.factories import ExternalIssueFactory
from ticketing import health
from ticketing.models import Attempt, Orphan

pytestmark = pytest.mark.django_db
LOG = "/settings/integrations/deliveries"


@pytest.fixture
def shown(as_user, admin):
    def show(query: str = "") -> str:
        return as_user(admin).get(LOG + query).content.decode()

    return show


def tried(outcome: str, *, minutes: int = 0, **said) -> Attempt:
    issue = said.pop("issue", None) or ExternalIssueFactory()
    at = timezone.now() - timedelta(minutes=minutes)
    return Attempt.objects.create(
        issue=issue, operation="create", outcome=outcome, started_at=at, ended_at=at, **said
    )


def blocked(**said):
    return ExternalIssueFactory(state="blocked", fault="config", reason="Space gone.", **said)


def test_it_is_empty_at_first(shown):
    assert "Nothing has been delivered yet" in shown()
    assert "No matching attempts" in shown("?outcome=unsure")


def test_it_lists_tries_with_what_became_of_them(shown):
    attempt = tried("config", status=400, reason="Field Team is required.", response='{"a": 1}')
    page = shown()
    assert attempt.issue.case.key in page
    assert "Refused</span>" in page
    assert "Field Team is required." in page
    assert "{&quot;a&quot;: 1}" in page


@pytest.mark.parametrize(
    ("asked", "outcomes"),
    [
        ("delivered", {"created", "found"}),
        ("unsure", {"unsure"}),
        ("refused", {"config", "rejected"}),
    ],
)
def test_it_filters_by_outcome(shown, asked, outcomes):
    for outcome in ("created", "found", "transient", "unsure", "config", "rejected", "auth", ""):
        tried(outcome, reason=f"({outcome})")
    page = shown(f"?outcome={asked}")
    assert {name for name in health_outcomes() if f"({name})" in page} == outcomes


def health_outcomes() -> list[str]:
    return ["created", "found", "transient", "unsure", "config", "rejected", "auth"]


def test_it_turns_pages_by_place_and_loses_no_row(shown, monkeypatch):
    monkeypatch.setattr(health, "ROWS", 2)
    issue = ExternalIssueFactory()
    now = timezone.now()
    for number in range(5):  # three of them at the same moment
        at = now - timedelta(minutes=number // 3)
        Attempt.objects.create(
            issue=issue, operation="find", outcome="absent", started_at=at, reason=f"({number})"
        )
    seen, place = [], ""
    for _ in range(3):
        page = health.delivery_log(before=place)
        seen += [row.reason for row in page.rows]
        place = page.older
    assert sorted(seen) == [f"({number})" for number in range(5)]
    assert place == ""
    assert 'rel="next"' in shown()


@pytest.mark.parametrize(
    "query", ["?outcome=x", "?before=x", "?before=2026-01-01_x", "?before=%00"]
)
def test_it_does_not_find_a_place_that_is_none(as_user, admin, query):
    assert as_user(admin).get(LOG + query).status_code == 404


def test_it_tries_a_stuck_ticket_again(as_user, admin):
    issue = blocked()
    page = as_user(admin).get(LOG).content.decode()
    assert "Tickets that need you" in page
    assert "Space gone." in page
    said = as_user(admin).post(f"{LOG}/{issue.pk}/retry", follow=True).content.decode()
    assert f"The ticket for {issue.case.key} is tried again" in said
    issue.refresh_from_db()
    assert issue.state == "pending"


def test_it_cancels_a_stuck_ticket(as_user, admin):
    issue = blocked()
    as_user(admin).post(f"{LOG}/{issue.pk}/cancel")
    issue.refresh_from_db()
    assert issue.state == "cancelled"


def test_it_creates_again_what_a_person_did_not_find(as_user, admin):
    sure, unsure = blocked(), blocked()
    type(unsure).objects.filter(pk=unsure.pk).update(fault="unsure")
    page = as_user(admin).get(LOG).content.decode()
    assert f"{LOG}/{unsure.pk}/absent" in page
    assert f"Search Jira for the label {unsure.key} first." in page
    assert f"{LOG}/{sure.pk}/absent" not in page
    as_user(admin).post(f"{LOG}/{unsure.pk}/absent")
    unsure.refresh_from_db()
    assert unsure.state == "pending"


@pytest.mark.parametrize("action", ["retry", "cancel", "absent"])
def test_it_says_that_it_was_too_late(as_user, admin, action):
    issue = ExternalIssueFactory(state="created", issue_id="1", issue_key="SEC-1")
    said = as_user(admin).post(f"{LOG}/{issue.pk}/{action}", follow=True).content.decode()
    assert "no longer waits" in said
    assert as_user(admin).get(f"{LOG}/{issue.pk}/{action}").status_code == 405
    assert as_user(admin).post(f"{LOG}/{uuid4()}/{action}").status_code == 404


def test_it_shows_orphans_in_a_plain_sentence(shown):
    issue = ExternalIssueFactory(state="created", issue_id="1", issue_key="SEC-1")
    Orphan.objects.create(issue=issue, remote_id="2", remote_key="SEC-2", reason="Twice.")
    page = shown()
    assert "is a second issue for" in page
    assert f"{issue.account.site_url}/browse/SEC-2" in page


def test_it_takes_as_many_statements_for_many_tries(as_user, admin, django_assert_num_queries):
    client = as_user(admin)
    for number in (1, 6):
        for _ in range(number):
            issue = blocked()
            tried("config", issue=issue)
            Orphan.objects.create(issue=issue, remote_id=str(uuid4()), remote_key="SEC-2")
        with django_assert_num_queries(9):
            client.get(LOG)
