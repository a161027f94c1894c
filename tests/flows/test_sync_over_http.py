"""Issues and cases in step, with a Jira that answers over HTTP and rings by signed webhooks."""

from __future__ import annotations

import random

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import ExternalIssueFactory, UserFactory, opened_case
from tests.jira_places import destination_at
from ticketing import services
from ticketing.account_probe import probe_due
from ticketing.comparing import CATEGORIES
from ticketing.models import Destination, ExternalIssue
from ticketing.states import State
from ticketing.sync import sync_due
from ticketing.trackers.jira.sandbox.defaults import BOT, DANA

pytestmark = pytest.mark.django_db
SECRET = "a secret of the webhook"
STATUSES = {"OPEN": "To Do", "IN_PROGRESS": "In Progress", "CLOSED": "Done"}


@pytest.fixture
def jira(frozen, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    sandbox_jira.webhooks.hold()
    return sandbox_jira


@pytest.fixture
def dana(db):
    return UserFactory(name="Dana Developer", email="dana@example.com")


@pytest.fixture
def issue(jira):
    place = destination_at(jira)
    place.account.webhook_secret = SECRET
    place.account.save()
    jira.webhooks.register("http://127.0.0.1:9/hook", secret=SECRET)
    there = jira.create_issue("SEC", "Outdated library", by=BOT)
    jira.webhooks.held.clear()
    return ExternalIssueFactory(
        case=opened_case(place.project),
        account=place.account,
        state=State.CREATED,
        issue_id=str(there.id),
        issue_key=there.key,
        sync_due_at=timezone.now(),
    )


@pytest.fixture
def ring(client, jira, issue):
    """`ring(deliveries)`: what Jira sends reaches us, in this order."""

    def post(deliveries):
        address = reverse("ticketing-api:jira-webhook", args=[issue.account_id])
        for delivery in deliveries:
            answer = client.post(
                address,
                data=delivery.body,
                content_type="application/json",
                headers=dict(delivery.headers),
            )
            assert answer.status_code == 202, answer.content

    return post


def in_step(issue, jira):
    case = type(issue.case).objects.get(pk=issue.case_id)
    there = jira.issue(issue.issue_key)
    category = jira.site.statuses[there.status_id].category
    return case, CATEGORIES[case.status] == category


def test_what_happens_there_arrives_by_its_webhook(issue, jira, ring, dana):
    sync_due()
    jira.set_status(issue.issue_key, "In Progress")
    jira.assign(issue.issue_key, DANA)
    jira.comment(issue.issue_key, "On *it*.")
    ring(jira.webhooks.held)
    assert sync_due() == 1
    case, same = in_step(issue, jira)
    assert same
    assert (case.status, case.assignee) == ("IN_PROGRESS", dana)
    [comment] = case.timeline.filter(kind="comment")
    assert (comment.author, comment.actor, comment.after) == ("Dana Developer", dana, "On **it**.")
    assert {e.author for e in case.timeline.filter(kind="status")} == {"Dana Developer"}


@pytest.mark.parametrize("title", ["😀" * 200, "x" * 255, "a b" * 99])
def test_a_title_that_jira_cuts_is_written_once_and_stays_here(issue, jira, ring, dana, title):
    Destination.objects.update(sync_title="two_way")
    sync_due()
    services.change_case(issue.case, title=title, actor=dana)
    sync_due()
    for _ in range(3):
        ring(jira.webhooks.held)
        sync_due()
    writes = jira.log.matching(f"PUT .*/issue/{issue.issue_id}$")
    assert len(writes) == 1
    assert jira.issue(issue.issue_key).fields["summary"].endswith("…")
    issue.case.refresh_from_db()
    assert issue.case.title == title


def test_what_happens_here_is_written_there_once(issue, jira, ring, dana):
    sync_due()
    services.change_case(issue.case, status="CLOSED", assignee=dana, actor=dana)
    services.comment(issue.case, "Patched in **2.1**.", actor=dana)
    sync_due()
    for _ in range(3):  # our own events come back, and change nothing
        ring(jira.webhooks.held)
        sync_due()
    there = jira.issue(issue.issue_key)
    assert jira.status_of(issue.issue_key) == "Done"
    assert there.fields["assignee"]
    assert len(there.comments) == 1
    issue.refresh_from_db()
    assert (issue.sync_problem, issue.remote_status) == ("", "Done")
    assert len(jira.log.matching("POST .*/transitions$")) == 1
    assert len(jira.log.matching("PUT .*/assignee$")) == 1


def test_a_deleted_a_moved_and_an_archived_issue_are_told(issue, jira, frozen):
    sync_due()
    jira.move(issue.issue_key, "PLAT")
    ExternalIssue.objects.update(sync_due_at=timezone.now())
    sync_due()
    issue.refresh_from_db()
    assert (issue.space_key, issue.issue_key[:5]) == ("PLAT", "PLAT-")
    jira.delete(issue.issue_key)
    for _ in range(2):
        frozen.shift(90)
        ExternalIssue.objects.update(sync_due_at=timezone.now())
        sync_due()
    issue.refresh_from_db()
    assert issue.gone_at


def test_revoked_credentials_are_not_taken_for_a_deleted_issue(issue, jira, frozen):
    sync_due()
    jira.revoke_token()
    for _ in range(3):
        frozen.shift(90)
        ExternalIssue.objects.update(sync_due_at=timezone.now())
        sync_due()
    issue.refresh_from_db()
    issue.account.refresh_from_db()
    assert issue.gone_at is None
    assert issue.account.state == "suspected"
    probe_due()
    issue.account.refresh_from_db()
    assert issue.account.state == "auth_failed"


@pytest.mark.parametrize("seed", range(4))
def test_it_converges_under_mischief(issue, jira, ring, dana, frozen, seed):
    luck = random.Random(seed)
    sync_due()
    wanted = "OPEN"
    for _ in range(12):
        frozen.shift(2)
        wanted = luck.choice(list(STATUSES))
        if luck.random() < 0.5:
            services.change_case(issue.case, status=wanted, actor=dana)
        elif jira.status_of(issue.issue_key) != STATUSES[wanted]:
            jira.set_status(issue.issue_key, STATUSES[wanted])
        if luck.random() < 0.3:
            jira.faults.reset("POST .*/transitions$", stage=luck.choice(["before", "after"]))
        events = list(jira.webhooks.held)
        ring(luck.sample(events, k=luck.randint(0, min(3, len(events)))))
        if luck.random() < 0.6:
            frozen.shift(1)
            sync_due()
    jira.faults.clear()
    for _ in range(3):
        frozen.shift(600)
        ExternalIssue.objects.update(sync_due_at=timezone.now())
        sync_due()
    assert in_step(issue, jira)[1]
