"""How fast an account is called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import JiraAccountFactory
from ticketing import pacing
from ticketing.models import JiraAccount, RequestHour
from ticketing.pacing import TooFast, heed, pace_for, slow_down
from ticketing.trackers.base import Fault, TrackerError

pytestmark = pytest.mark.django_db


@pytest.fixture
def slept(monkeypatch, frozen):
    """The sleeps of this process; time moves with them."""
    sleeps = []

    def sleep(seconds):
        sleeps.append(round(seconds, 3))
        frozen.shift(seconds)

    monkeypatch.setattr(pacing.time, "sleep", sleep)
    return sleeps


@pytest.fixture
def account(frozen):
    return JiraAccountFactory(rate=10.0)


def again(account):
    account.refresh_from_db()
    return account


def test_requests_are_as_far_apart_as_the_rate_says(account, slept):
    pace = pace_for(account)
    for _ in range(4):
        pace()
    assert slept == [0, 0.1, 0.1, 0.099]
    assert RequestHour.objects.get().requests == 4


def test_two_connections_share_the_rate(account, slept):
    first, second = pace_for(account), pace_for(JiraAccount.objects.get())
    first()
    second()
    first()
    assert slept == [0, 0.1, 0.1]


def test_nobody_is_held_for_more_than_a_second(account, slept):
    JiraAccount.objects.update(rate=0.5)
    pace = pace_for(account)
    pace.hold()
    pace()
    with pytest.raises(TooFast) as refused:
        pace.hold()
    assert refused.value.retry_after == pytest.approx(2)
    assert slept == [0]
    pace()  # but the next request of a call that has begun may wait for its turn
    assert slept == [0, 2]


def test_a_turn_that_was_taken_is_not_waited_for_again(account, slept):
    pace = pace_for(account)
    pace.hold()
    pace.hold()
    pace()
    assert slept == [0]
    assert RequestHour.objects.get().requests == 1


def test_it_halves_and_pauses_when_jira_asks_to_slow_down(account, frozen):
    slow_down(account, 7)
    assert again(account).rate == 5
    assert timedelta(seconds=7) <= account.paused_until - timezone.now() <= timedelta(seconds=7.7)
    with pytest.raises(TooFast) as refused:
        pace_for(account).hold()
    assert refused.value.retry_after >= 7
    assert RequestHour.objects.get().throttled == 1


def test_several_refusals_of_one_moment_halve_once(account, frozen):
    for _ in range(3):
        slow_down(account, 1)
    assert again(account).rate == 5
    frozen.shift(2)
    slow_down(account, 1)
    assert again(account).rate == 2.5


def test_a_shorter_pause_does_not_end_a_longer_one(account, frozen):
    slow_down(account, 600)
    until = again(account).paused_until
    slow_down(account, 1)
    assert again(account).paused_until == until


def test_the_rate_stays_in_its_bounds(account, slept, frozen):
    for _ in range(10):
        slow_down(account, 1)
        frozen.shift(2)
    assert again(account).rate == pacing.SLOWEST
    JiraAccount.objects.update(rate=pacing.FASTEST)
    pace_for(account)()
    assert again(account).rate == pacing.FASTEST


def test_it_grows_a_little_with_each_request(account, slept):
    pace = pace_for(account)
    for _ in range(20):
        pace()
    assert again(account).rate == pytest.approx(11)


def test_a_machine_with_another_clock_does_not_stop_everybody(account, slept):
    JiraAccount.objects.update(next_request_at=timezone.now() + timedelta(hours=1))
    pace_for(account)()
    assert slept == [0]


def test_an_account_that_does_not_answer_gets_some_rest(account, frozen):
    away = TrackerError(Fault.TRANSIENT, "Not reached.", whole_account=True)
    rests = []
    for _ in range(6):
        heed(account, away)
        rests.append(round((again(account).paused_until - timezone.now()).total_seconds()))
        frozen.move_to(account.paused_until)
    assert (rests[0], rests[-1]) == (2, pytest.approx(31, abs=2))
    assert RequestHour.objects.get().failed == 6


def test_our_own_refusal_says_nothing_about_jira(account, frozen):
    heed(account, TooFast(timedelta(seconds=3)))
    assert (again(account).rate, account.paused_until) == (10, None)
    assert not RequestHour.objects.exists()
