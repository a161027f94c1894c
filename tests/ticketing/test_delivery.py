"""One promise on its way out: the call, and what becomes of it."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from tests.factories import DestinationFactory, JiraAccountFactory
from tests.fakes.tracker import (
    FakeTracker,
    misconfigured,
    refused,
    transient,
    unauthorized,
    unsure,
)
from tests.ticketing.outbox import due, promised, sent_ago, state_of
from ticketing.delivery import deliver_due, deliver_one
from ticketing.models import ExternalIssue, JiraAccount, Orphan
from ticketing.outbox.claims import claim, free_expired

pytestmark = pytest.mark.django_db


@pytest.fixture
def tracker(monkeypatch):
    fake = FakeTracker()

    @contextmanager
    def connect(account, *, pace):
        yield fake

    monkeypatch.setattr("ticketing.delivery.tracker_for", connect)
    return fake


def test_it_creates_what_was_promised(tracker):
    issue = promised()
    assert deliver_due()
    issue.refresh_from_db()
    [there] = tracker.issues_with(issue.key)
    assert (issue.state, issue.issue_key) == ("created", there.state.ref.key)
    assert there.state.title == issue.case.title
