"""However slow Jira is, a task ends before the queue kills it, and no account waits for another's.

The clock is simulated: a request moves it, and one that would end after the deadline is cut off.
"""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.conf import settings
from django.utils import timezone

from config.lib.deadline import Deadline
from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    JiraAccountFactory,
    opened_case,
)
from tests.fakes.tracker import BOT, SPACE, FakeTracker
from ticketing import sync
from ticketing.models import ExternalIssue, JiraAccount, SpacePoll
from ticketing.states import State
from ticketing.trackers.base import Fault, IssueDraft, OutOfTime, TrackerError

pytestmark = pytest.mark.django_db


class Slow(FakeTracker):
    """Each issue takes `latency` seconds; without one it hangs."""

    def __init__(self, clock, latency):
        super().__init__(now=timezone.now)
        self.clock, self.latency, self.deadline, self.asked_at = clock, latency, None, []

    def fetch(self, ids):
        self.asked_at.append(self.clock.now)
        if self.latency is None:
            self.clock.now += min(sync.PATIENCE, self.deadline.left)
            raise TrackerError(Fault.TRANSIENT, "Jira did not answer.")
        found = {}
        for id_ in ids:
            if self.deadline.left < self.latency:
                self.clock.now += self.deadline.left
                if not found:
                    raise OutOfTime
                return dict.fromkeys(ids, OutOfTime()) | found
            self.clock.now += self.latency
            found |= super().fetch([id_])
        return found


class Clock:
    now = 1000.0


@pytest.fixture
def world(frozen, monkeypatch):
    """`world(latency, number)`: an account whose Jira is so slow, with so many due issues."""
    clock, trackers = Clock(), {}
    monkeypatch.setattr(sync, "Deadline", lambda s: Deadline(s, clock=lambda: clock.now))

    @contextmanager
    def tracker_for(account, *, deadline, **options):
        trackers[account.pk].deadline = deadline
        yield trackers[account.pk]

    def make(latency, number):
        place = DestinationFactory(account=JiraAccountFactory(user_id=BOT.id))
        tracker = trackers[place.account_id] = Slow(clock, latency)
        for each in range(number):
            draft = IssueDraft(destination=SPACE, summary=f"No. {each}", description="")
            ref = tracker.create(draft, key="fa-x", attempt="1")
            ExternalIssueFactory(
                case=opened_case(place.project),
                account=place.account,
                state=State.CREATED,
                issue_id=ref.id,
                issue_key=ref.key,
                sync_due_at=timezone.now(),
            )
        return tracker

    monkeypatch.setattr(sync, "tracker_for", tracker_for)
    make.clock = clock
    return make


def unsettled():
    return ExternalIssue.objects.filter(synced_at=None).count()


@pytest.mark.parametrize("latency", [0.0, 0.7, 3.0, 12.0])
def test_a_task_ends_in_time_and_loses_nothing_of_what_it_read(world, latency):
    world(latency, 40)
    for _ in range(40):
        before, started = unsettled(), world.clock.now
        seen = sync.sync_due()
        assert world.clock.now - started <= settings.Q_CLUSTER["timeout"] - 15
        assert before - unsettled() == seen >= 1
        if not unsettled():
            break
    assert unsettled() == 0
    assert not ExternalIssue.objects.exclude(sync_failures=0).exists()


def test_a_jira_that_hangs_keeps_no_other_account_waiting(world, frozen):
    hanging = [world(None, 3) for _ in range(2)]
    well = world(0.1, 3)
    sync.sync_due()
    assert well.asked_at[0] - 1000 <= 2 * 20
    assert unsettled() == 6
    for _ in range(8):
        frozen.shift(400)
        ExternalIssue.objects.update(sync_due_at=timezone.now())
        well.asked_at.clear()
        started = world.clock.now
        sync.sync_due()
        assert well.asked_at[0] == started  # those that hung come last
    assert all(tracker.asked_at for tracker in hanging)
    assert JiraAccount.objects.filter(sync_failures=9).count() == 2


def test_one_worker_at_a_time_syncs_an_account_until_it_is_lost(world, frozen):
    world(0.0, 3)
    JiraAccount.objects.update(sync_served_until=timezone.now() + sync.SERVED)
    assert sync.sync_due() == 0
    frozen.shift(61)
    assert sync.sync_due() == 3
    assert JiraAccount.objects.get().sync_served_until is None


def test_an_account_that_hangs_rests_and_is_polled_again_when_it_is_well(world, frozen):
    tracker = world(None, 3)
    for _ in range(6):
        frozen.shift(400)
        sync.sync_due()
    tracker.latency = 0.0
    frozen.shift(301)
    assert sync.sync_due() == 3
    assert SpacePoll.objects.count() == 1
    assert JiraAccount.objects.get().sync_problem == ""
