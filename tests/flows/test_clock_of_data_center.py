"""A Data Center whose clock is wrong: of two actions the later one still wins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from config.accounts.models import User
from tests.factories import ExternalIssueFactory, opened_case
from tests.jira_places import destination_at
from ticketing import commenting, services
from ticketing.models import ExternalIssue, JiraAccount
from ticketing.states import State
from ticketing.sync import sync_due
from ticketing.trackers.jira.sandbox.defaults import BOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def make_issue(frozen, sandbox_data_center, settings):
    """`make_issue(ahead)`: in step, at a Jira whose clock is so many seconds ahead."""
    settings.ALLOW_PRIVATE_NETWORKS = True
    jira = sandbox_data_center

    def make(ahead: int) -> ExternalIssue:
        jira.site.clock = lambda: datetime.now(UTC) + timedelta(seconds=ahead)
        place = destination_at(jira)
        JiraAccount.objects.update(deployment="data_center", email="")
        there = jira.create_issue("SEC", "Outdated library", by=BOT)
        issue = ExternalIssueFactory(
            case=opened_case(place.project),
            account=JiraAccount.objects.get(),
            state=State.CREATED,
            issue_id=str(there.id),
            issue_key=there.key,
            sync_due_at=timezone.now(),
        )
        sync_due()
        frozen.shift(60)
        return issue

    return make


def both_act(issue: ExternalIssue, jira, frozen, first: str, analyst: User) -> str:
    """Here it is closed, there it is started, a minute apart; what both sides say then."""
    for side in ("here", "there") if first == "here" else ("there", "here"):
        if side == "here":
            services.change_case(issue.case, status="CLOSED", actor=analyst)
        else:
            jira.set_status(issue.issue_key, "In Progress")
        frozen.shift(60)
    ExternalIssue.objects.update(sync_due_at=timezone.now())
    sync_due()
    issue.case.refresh_from_db()
    return f"{issue.case.status} {jira.status_of(issue.issue_key)}"


@pytest.mark.parametrize("ahead", [0, 600, -600, 5 * 3600])
@pytest.mark.parametrize(
    ("first", "outcome"), [("there", "CLOSED Done"), ("here", "IN_PROGRESS In Progress")]
)
def test_the_later_action_wins_whatever_their_clock_says(
    make_issue, sandbox_data_center, frozen, analyst, ahead, first, outcome
):
    issue = make_issue(ahead)
    assert both_act(issue, sandbox_data_center, frozen, first, analyst) == outcome


@pytest.mark.parametrize(("first", "stays"), [("there", "Ours"), ("here", "Theirs")])
@pytest.mark.parametrize("ahead", [0, 600, -600])
def test_the_later_edit_of_a_comment_stays(
    make_issue, sandbox_data_center, frozen, analyst, ahead, first, stays
):
    jira, issue = sandbox_data_center, make_issue(ahead)
    entry = services.comment(issue.case, "First", actor=analyst)
    sync_due()
    frozen.shift(60)
    [comment] = jira.issue(issue.issue_key).comments
    for side in ("here", "there") if first == "here" else ("there", "here"):
        if side == "here":
            commenting.edit_comment(entry, "Ours", actor=analyst)
        else:
            comment.text, comment.updated_at = "Theirs", jira.now()
            jira.site.touch(jira.issue(issue.issue_key))
        frozen.shift(60)
    sync_due()
    entry.refresh_from_db()
    assert entry.after == stays
    assert stays in str(comment.text)
