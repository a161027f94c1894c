"""Changes are told by one search of a space, and nothing is missed for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import JiraAccountFactory
from tests.fakes.tracker import SPACE, misconfigured, unauthorized
from ticketing import space_polls
from ticketing.models import SpacePoll
from ticketing.sync import sync_due
from ticketing.trackers.base import Category, Changes, IssueRef

pytestmark = pytest.mark.django_db


@pytest.fixture
def poll(frozen, issue):
    """`poll(minutes=2)`: so much later the clock rings."""

    def later(**span):
        frozen.shift(timedelta(**(span or {"minutes": 2})))
        return sync_due()

    assert SpacePoll.objects.get().space_id == SPACE.space_id
    return later


def close(remote, issue):
    ref = IssueRef(issue.issue_id, issue.issue_key)
    remote.change(ref, category=Category.DONE, status="Done")


def status_of(issue):
    issue.case.refresh_from_db()
    return issue.case.status


def due_in(issue):
    issue.refresh_from_db()
    return issue.sync_due_at - timezone.now()


def test_it_reads_only_what_was_changed(issue, make_issue, remote, poll):
    others = [make_issue() for _ in range(3)]
    assert poll() == 0
    assert remote.called("fetch") == []
    close(remote, issue)
    assert poll() == 1
    assert status_of(issue) == "CLOSED"
    assert remote.called("fetch") == [issue.issue_id]
    assert poll() == 0  # the overlap shows it again, and it was seen
    assert all(due_in(other) > timedelta(minutes=90) for other in others)
    assert len(remote.called("changes")) == 3


def test_it_asks_for_more_than_has_passed(issue, remote, poll, monkeypatch):
    asked = []

    def changes(space_id, *, minutes):
        asked.append(minutes)
        return Changes({}, is_complete=True)

    monkeypatch.setattr(remote, "changes", changes)
    poll(minutes=2)
    poll(minutes=2, seconds=1)
    poll(hours=1)
    assert asked == [8, 8, 65]  # the first begins when the issue was seen, a minute before


def test_it_finds_what_was_indexed_late(issue, remote, poll, monkeypatch):
    real, hidden = remote.changes, [True]
    monkeypatch.setattr(
        remote,
        "changes",
        lambda *args, **more: Changes({}, is_complete=True) if hidden[0] else real(*args, **more),
    )
    close(remote, issue)
    assert poll() == 0
    hidden[0] = False
    assert poll() == 1
    assert status_of(issue) == "CLOSED"


@pytest.mark.parametrize("why", ["too many", "a long pause"])
def test_it_reads_all_where_a_search_cannot_tell(issue, remote, poll, monkeypatch, why):
    if why == "too many":
        monkeypatch.setattr(remote, "changes", lambda *_, **more: Changes({}, is_complete=False))
    else:
        SpacePoll.objects.update(polled_at=timezone.now() - timedelta(days=2))
    poll()
    assert due_in(issue) <= timedelta(minutes=9)


def test_a_space_that_cannot_be_asked_falls_back_to_its_issues(issue, remote, poll, destination):
    remote.fail("changes", misconfigured("No such space."), times=10)
    for minutes in (2, 5, 9):
        poll(minutes=minutes)
    row = SpacePoll.objects.get()
    assert (row.failures, row.problem) == (3, "No such space.")
    assert due_in(issue) <= timedelta(minutes=9)
    destination.account.refresh_from_db()
    assert (destination.account.state, destination.account.sync_failures) == ("connected", 0)
    close(remote, issue)
    assert poll(minutes=10) == 1
    assert due_in(issue) <= timedelta(hours=6)
    remote._failures.clear()
    poll(hours=1)
    assert SpacePoll.objects.get().failures == 0


@pytest.mark.parametrize("is_real", [True, False])
def test_a_refused_poll_is_looked_at_twice(issue, remote, poll, destination, is_real):
    remote.fail("changes", unauthorized())
    if is_real:
        remote.fail("identify", unauthorized())
    poll()
    destination.account.refresh_from_db()
    assert destination.account.state == ("suspected" if is_real else "connected")


def test_what_no_poll_shows_is_found_by_the_slow_round(issue, remote, poll):
    del remote.issues[issue.issue_id]
    for _ in range(2):
        poll(hours=2)
        poll(minutes=2)
    issue.refresh_from_db()
    assert issue.gone_at


def test_the_poll_of_a_space_marks_nothing_of_another_account(issue, remote, poll):
    space_polls._make_due(JiraAccountFactory(), {issue.issue_id: timezone.now()})
    assert due_in(issue) > timedelta(minutes=90)
