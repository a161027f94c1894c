from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.utils import timezone

from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    JiraAccountFactory,
    ProjectFactory,
    UserFactory,
    opened_case,
)
from tests.fakes.tracker import BOT, SPACE, FakeTracker
from ticketing.models import ExternalIssue
from ticketing.states import State
from ticketing.sync import sync_due
from ticketing.trackers.base import IssueDraft


@pytest.fixture
def remote(monkeypatch) -> FakeTracker:
    """The other side, in memory, whatever the account says."""
    tracker = FakeTracker(now=timezone.now)

    @contextmanager
    def tracker_for(account, **options):
        yield tracker

    for module in ("sync", "account_probe"):
        monkeypatch.setattr(f"ticketing.{module}.tracker_for", tracker_for)
    return tracker


@pytest.fixture
def tracker(monkeypatch) -> FakeTracker:
    """What delivery meets, in memory."""
    fake = FakeTracker()

    @contextmanager
    def connect(account, **options):
        yield fake

    for module in ("delivery", "account_probe"):
        monkeypatch.setattr(f"ticketing.{module}.tracker_for", connect)
    return fake


@pytest.fixture
def destination(db):
    account = JiraAccountFactory(user_id=BOT.id)
    return DestinationFactory(account=account, project=ProjectFactory(key="SEC"))


@pytest.fixture
def dana(db):
    return UserFactory(name="Dana Developer", email="dana@example.com")


@pytest.fixture
def make_issue(frozen, remote, destination):
    """`make_issue()`: a case and its issue, in step, a minute ago."""

    def make(project=None, *, synced=True, **said) -> ExternalIssue:
        case = opened_case(project or destination.project, **said)
        draft = IssueDraft(destination=SPACE, summary=case.title, description=case.description)
        ref = remote.create(draft, key="fa-x", attempt="1")
        issue = ExternalIssueFactory(
            case=case,
            account=destination.account,
            state=State.CREATED,
            issue_id=ref.id,
            issue_key=ref.key,
            sync_due_at=timezone.now(),
        )
        frozen.shift(60)
        if synced:
            sync_due()
            frozen.shift(60)
        remote.calls.clear()
        issue.refresh_from_db()
        return issue

    return make


@pytest.fixture
def issue(make_issue) -> ExternalIssue:
    return make_issue()


@pytest.fixture
def look(frozen):
    """`look()`: everything becomes due and is looked at, a minute later."""

    def look_again() -> None:
        frozen.shift(60)
        ExternalIssue.objects.filter(detached_at=None).update(sync_due_at=timezone.now())
        sync_due()

    return look_again
