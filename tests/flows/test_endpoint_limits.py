"""One endpoint of Jira asks to wait (429 `jira-burst-based`): it alone does, over real HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import ExternalIssueFactory, opened_case
from tests.jira_places import destination_at
from ticketing import services
from ticketing.delivery import deliver_due
from ticketing.models import Case, ExternalIssue, JiraAccount
from ticketing.states import State
from ticketing.sync import sync_due
from ticketing.trackers.jira.sandbox.defaults import BOT

pytestmark = pytest.mark.django_db
SECONDS = 60


@pytest.fixture
def jira(frozen, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(jira):
    return destination_at(jira)


@pytest.fixture
def there(jira, place):
    """An issue that is there and is due to be looked at."""
    made = jira.create_issue("SEC", "Outdated library", by=BOT)
    return ExternalIssueFactory(
        case=opened_case(place.project),
        account=place.account,
        state=State.CREATED,
        issue_id=str(made.id),
        issue_key=made.key,
        sync_due_at=timezone.now(),
    )


@pytest.fixture
def promised(place):
    return ExternalIssueFactory(
        case=opened_case(place.project),
        account=place.account,
        space_id=place.space_id,
        space_key=place.space_key,
        type_id=place.type_id,
    )


def seen(row):
    row.refresh_from_db()
    return row


def test_creates_that_wait_stop_no_sync(jira, there, promised, frozen):
    jira.faults.throttle("POST /issue$", retry_after=str(SECONDS), times=None)
    deliver_due()
    wait = seen(promised).not_before - timezone.now()
    assert (promised.state, promised.attempts) == (State.PENDING, 0)
    assert timedelta(seconds=SECONDS) <= wait <= timedelta(seconds=SECONDS * 1.5)
    deliver_due()
    assert len(jira.log.matching("POST /issue$")) == 1  # every worker sees that it waits

    jira.set_status(there.issue_key, "Done")
    sync_due()
    assert seen(there).synced_at == timezone.now()
    assert (there.sync_failures, Case.objects.get(pk=there.case_id).status) == (0, "CLOSED")
    assert JiraAccount.objects.get().paused_until is None

    jira.faults.clear()
    frozen.shift(SECONDS * 1.5)
    deliver_due()
    assert seen(promised).state == State.CREATED


def test_reads_that_wait_stop_no_create(jira, there, promised, frozen):
    jira.faults.throttle("POST /issue/bulkfetch$", retry_after=str(SECONDS), times=None)
    sync_due()
    assert seen(there).synced_at is None
    deliver_due()
    assert seen(promised).state == State.CREATED
    assert JiraAccount.objects.get().paused_until is None

    jira.faults.clear()
    sync_due()
    assert seen(there).synced_at is None  # not before it was asked for
    frozen.shift(SECONDS * 1.5)
    sync_due()
    assert seen(there).synced_at == timezone.now()


def test_a_write_that_waits_keeps_no_other_issue(jira, there, place, frozen):
    """The status of one issue is written later; what is only read is in step at once."""
    other = jira.create_issue("SEC", "Another", by=BOT)
    beside = ExternalIssueFactory(
        case=opened_case(place.project),
        account=place.account,
        state=State.CREATED,
        issue_id=str(other.id),
        issue_key=other.key,
        sync_due_at=timezone.now(),
    )
    sync_due()
    jira.faults.throttle("POST /issue/[^/]+/transitions", retry_after=str(SECONDS), times=None)
    services.change_case(there.case, status="CLOSED", actor=None)
    ExternalIssue.objects.update(sync_due_at=timezone.now())
    frozen.shift(5)
    sync_due()
    sync_due()
    assert len(jira.log.matching("POST /issue/[^/]+/transitions")) == 1
    assert seen(beside).synced_at == timezone.now()
    assert seen(there).sync_failures == 0

    jira.faults.clear()
    frozen.shift(SECONDS * 1.5)
    sync_due()
    assert jira.status_of(there.issue_key) == "Done"
