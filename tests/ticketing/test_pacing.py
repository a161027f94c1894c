"""How fast an account is called."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import JiraAccountFactory
from ticketing import pacing
from ticketing.models import JiraAccount, RequestHour
from ticketing.outbox.waiting import may_create
from ticketing.pacing import TooFast, heed, pace_for, slow_down
from ticketing.trackers.base import CREATE, Fault, TrackerError

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
        pace("x")
    assert slept == [0, 0.1, 0.1, 0.099]
    assert RequestHour.objects.get().requests == 4


def test_two_connections_share_the_rate(account, slept):
    first, second = pace_for(account), pace_for(JiraAccount.objects.get())
    first("x")
    second("x")
    first("x")
    assert slept == [0, 0.1, 0.1]


def test_nobody_is_held_for_more_than_a_second(account, slept):
    JiraAccount.objects.update(rate=0.5)
    pace = pace_for(account)
    pace.hold()
    pace("x")
    with pytest.raises(TooFast) as refused:
        pace.hold()
    assert refused.value.retry_after == pytest.approx(2)
    assert slept == [0]
    pace("x")  # but the next request of a call that has begun may wait for its turn
    assert slept == [0, 2]


def test_a_turn_that_was_taken_is_not_waited_for_again(account, slept):
    pace = pace_for(account)
    pace.hold()
    pace.hold()
    pace("x")
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
    pace_for(account)("x")
    assert again(account).rate == pacing.FASTEST


def test_it_grows_a_little_with_each_request(account, slept):
    pace = pace_for(account)
    for _ in range(20):
        pace("x")
    assert again(account).rate == pytest.approx(11)


def test_a_machine_with_another_clock_does_not_stop_everybody(account, slept):
    JiraAccount.objects.update(next_request_at=timezone.now() + timedelta(hours=1))
    pace_for(account)("x")
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


# --- One endpoint asks to wait ------------------------------------------------------------


def burst(endpoint: str, retry_after: float | None = 30) -> TrackerError:
    said = {"status": 429, "retry_after": retry_after, "endpoint": endpoint}
    return TrackerError(Fault.TRANSIENT, "Slow down.", **said)


READS, WRITES = "GET 3/issue/{}", "PUT 3/issue/{}"


@pytest.mark.parametrize(
    ("limited", "others"), [(CREATE, (READS, WRITES)), (READS, (CREATE, WRITES))]
)
def test_a_burst_pauses_its_own_endpoint_for_every_worker(account, slept, limited, others):
    heed(account, burst(limited))
    worker = pace_for(JiraAccount.objects.get())
    for other in others:
        worker(other)
    with pytest.raises(TooFast) as refused:
        worker(limited)
    assert (refused.value.endpoint, refused.value.whole_account) == (limited, False)
    assert 29 < refused.value.retry_after <= 33
    worker.hold()
    with pytest.raises(TooFast):
        worker(limited)  # a turn that is held is none there
    assert (again(account).paused_until, account.rate) == (None, pytest.approx(5, abs=0.5))
    assert may_create(account, timezone.now()) is (limited != CREATE)


def test_a_pause_of_an_endpoint_ends_and_a_longer_one_stays(account, slept, frozen):
    heed(account, burst(READS, 30))
    heed(account, burst(READS, 1))
    frozen.shift(20)
    with pytest.raises(TooFast):
        pace_for(account)(READS)
    frozen.shift(15)
    pace_for(account)(READS)


def test_endpoints_that_wait_are_few_and_leave_the_account_a_pace(account, frozen):
    for nth in range(3 * pacing.MAX_ENDPOINTS):
        heed(account, burst(f"GET {nth}", 10 + nth))
    assert len(again(account).endpoint_pauses) == pacing.MAX_ENDPOINTS
    assert account.rate == pacing.SLOWEST_OF_OTHERS
    frozen.shift(3_600)
    heed(account, burst(READS, None))
    assert set(again(account).endpoint_pauses) == {READS}
