"""Creates of which nobody knows what became: looked for at once, believed lost with reason."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db.models import Min
from django.utils import timezone

from tests.fakes.tracker import failed, unsure
from tests.ticketing.outbox import due, promised, sent_ago, state_of
from ticketing import accounts, pacing
from ticketing.delivery import deliver_due
from ticketing.models import ExternalIssue, JiraAccount, Orphan
from ticketing.outbox import cancel, claims
from ticketing.outbox.moves import MAX_FAILED_CREATES
from ticketing.trackers.base import Fault, IssueRef, TrackerError

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(frozen, monkeypatch):
    """Time that sleeps make pass; `clock(seconds)` works for so long.

    Every second, as the queue does, but for those in which nothing is due.
    """
    monkeypatch.setattr("ticketing.pacing.time.sleep", frozen.shift)

    def run(seconds, until=lambda: False):
        begun = timezone.now()
        while True:
            deliver_due()
            passed = (timezone.now() - begun).total_seconds()
            if until() or passed > seconds:
                return passed
            waiting = ExternalIssue.objects.filter(act_at__isnull=False)
            following = waiting.aggregate(at=Min("act_at"))["at"] or timezone.now()
            idle = (following - timezone.now()).total_seconds()
            frozen.shift(max(1, math.ceil(idle)))

    return run


def outcomes(issue):
    tries = issue.tries.order_by("started_at", "operation")
    return list(tries.values_list("operation", "outcome"))


def delivered(issue):
    return lambda: state_of(issue) == "created"


# --- It is there ----------------------------------------------------------------------------


def test_it_finds_at_once_what_was_stored_without_an_answer(tracker):
    issue = promised()
    tracker.fail("create", unsure(), after=True)
    deliver_due()
    issue.refresh_from_db()
    assert (issue.state, issue.was_unsure) == ("created", True)
    assert len(tracker.issues_with(issue.key)) == len(tracker.called("create")) == 1
    assert outcomes(issue) == [("create", "unsure"), ("find", "found")]
    assert tracker.called("find") == []  # a strong read of the newest numbers was enough


def test_many_that_are_found_at_once_neither_pause_nor_slow_the_account(tracker):
    issues = promised(20)
    tracker.fail("create", unsure(), times=20, after=True)
    while not deliver_due():
        pass
    assert {state_of(issue) for issue in issues} == {"created"}
    account = JiraAccount.objects.get()
    assert (account.unsure_in_a_row, account.creates_paused_until) == (0, None)
    assert (account.paused_until, account.rate) == (None, pytest.approx(10.0, abs=5))


def test_many_unsure_ones_of_a_space_share_one_look(tracker):
    issues = promised(20)
    tracker.fail("create", unsure(), times=20, after=True)
    tracker.is_blind = True
    for _ in issues:
        JiraAccount.objects.update(creates_paused_until=None, rate=50)
        deliver_due()
    assert {state_of(issue) for issue in issues} == {"unsure"}
    tracker.is_blind = False
    for issue in issues:
        due(issue)
    tracker.calls.clear()
    deliver_due()
    assert {state_of(issue) for issue in issues} == {"created"}
    assert [len(keys.split(",")) for keys in tracker.called("find")] == [20]


def test_it_looks_once_more_right_before_it_creates_again(tracker):
    issue = promised()
    tracker.fail("create", unsure(), after=True)
    tracker.is_blind = True
    deliver_due()
    tracker.is_blind = False
    ExternalIssue.objects.update(state="pending")  # as if it had been believed lost
    due(issue)
    deliver_due()
    assert (state_of(issue), len(tracker.called("create"))) == ("created", 1)


# --- It is not there ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "least", "most"),
    [pytest.param(unsure(), 120, 123, id="lost"), pytest.param(failed(), 10, 12, id="failed")],
)
def test_it_creates_again_when_the_first_request_can_no_longer_be_running(
    tracker, clock, error, least, most
):
    issue = promised()
    tracker.fail("create", error)
    assert least <= clock(600, until=delivered(issue)) <= most
    assert len(tracker.issues_with(issue.key)) == 1
    assert outcomes(issue).count(("find", "absent")) >= 2


def test_one_complete_look_proves_nothing(tracker, frozen):
    issue = promised()
    tracker.fail("create", unsure())
    deliver_due()
    sent_ago(issue, minutes=20)
    deliver_due()
    issue.refresh_from_db()
    assert issue.state == "unsure"
    assert issue.not_before - timezone.now() == timedelta(seconds=10)


def test_it_does_not_believe_an_incomplete_look_and_asks_a_person_at_last(tracker):
    issue = promised()
    tracker.fail("create", unsure())
    tracker.is_blind = True
    deliver_due()
    for minutes in (2, 5, 15, 30):
        sent_ago(issue, minutes=minutes)
        deliver_due()
        assert state_of(issue) == "unsure"
    sent_ago(issue, minutes=60)
    deliver_due()
    assert (state_of(issue), issue.fault) == ("blocked", "unsure")
    assert len(tracker.called("create")) == 1


def test_it_asks_a_person_after_three_creates_that_nobody_knows_of(tracker, clock):
    issue = promised()
    tracker.fail("create", unsure(), times=5)
    clock(600, until=lambda: state_of(issue) == "blocked")
    assert (state_of(issue), issue.fault) == ("blocked", "unsure")
    assert len(tracker.called("create")) == 3


@pytest.mark.parametrize(
    ("error", "first_gap"),
    [(failed(), 30), (TrackerError(Fault.UNSURE, "A captive page.", is_foreign=True), 150)],
)
def test_what_likely_failed_is_tried_for_a_day_and_less_and_less_often(
    tracker, clock, error, first_gap
):
    issue = promised()
    tracker.fail("create", error, times=MAX_FAILED_CREATES + 5)
    clock(3600)
    creates = issue.tries.filter(operation="create").order_by("started_at")
    times = list(creates.values_list("started_at", flat=True))
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    assert gaps[0] < first_gap < 600 < gaps[-1] < 1000
    assert state_of(issue) != "blocked"
    assert len(tracker.issues) == 0


def test_it_looks_at_once_when_the_account_works_again(tracker):
    issue = promised()
    tracker.fail("create", unsure())
    deliver_due()
    ExternalIssue.objects.update(not_before=timezone.now() + timedelta(minutes=15))
    accounts.pause(issue.account, "Down.", state="broken")
    accounts.resume(issue.account)
    tracker.calls.clear()
    deliver_due()
    assert tracker.called("find")


# --- The breaker ----------------------------------------------------------------------------


def test_the_breaker_stops_creates_and_never_looks(tracker, frozen):
    issues = promised(6)
    tracker.fail("create", failed(), times=6)
    deliver_due()
    assert len(tracker.called("create")) == 3
    assert [state_of(issue) for issue in issues].count("pending") == 3
    account = JiraAccount.objects.get()
    assert account.creates_paused_until > timezone.now()
    assert account.paused_until is None
    tracker.calls.clear()
    frozen.shift(1)
    ExternalIssue.objects.filter(state="unsure").update(not_before=timezone.now())
    deliver_due()
    assert tracker.called("find")
    assert not tracker.called("create")


def test_creates_that_left_before_the_breaker_opened_are_one_sign(tracker, frozen):
    issues = promised(8)
    claimed = [claims.claim(issues[0].account_id) for _ in issues]
    for issue in claimed:
        pacing.count_unsure(issue.account)
    account = JiraAccount.objects.get()
    assert account.unsure_in_a_row == pacing.ENOUGH_UNSURE
    assert account.creates_paused_until - timezone.now() <= 1.1 * pacing.SHORT_REST


def test_after_a_pause_one_create_at_a_time_shows_whether_jira_creates_again(tracker, frozen):
    promised(4)
    JiraAccount.objects.update(unsure_in_a_row=pacing.ENOUGH_UNSURE)
    account_id = JiraAccount.objects.get().pk
    probe = claims.claim(account_id)
    assert probe
    assert claims.claim(account_id) is None
    pacing.count_unsure(probe.account)
    frozen.shift(pacing.SHORT_REST)
    assert claims.claim(account_id) is None
    frozen.shift(1.2 * pacing.SHORT_REST)
    probe = claims.claim(account_id)
    assert probe
    pacing.count_created(probe.account)
    assert claims.claim(account_id)


def test_one_that_is_found_ends_the_row_of_those_that_were_not(tracker):
    JiraAccount.objects.filter(pk=promised().account_id).update(unsure_in_a_row=2)
    tracker.fail("create", unsure(), after=True)
    deliver_due()
    assert JiraAccount.objects.get().unsure_in_a_row == 0


def test_one_that_jira_fails_at_four_times_is_created_within_50_seconds(tracker, clock):
    issue = promised()
    tracker.fail("create", failed(), times=4)
    assert clock(120, until=delivered(issue)) <= 50
    assert len(tracker.issues_with(issue.key)) == 1


def test_creates_go_on_when_one_succeeds(tracker, clock):
    issues = promised(6)
    tracker.fail("create", failed(), times=3)
    assert clock(120, until=lambda: all(state_of(one) == "created" for one in issues)) <= 60
    account = JiraAccount.objects.get()
    assert (account.unsure_in_a_row, account.creates_paused_until) == (0, None)


def test_mixed_faults_are_through_within_a_minute(tracker, clock):
    """Of 60 tickets three in ten are stored without an answer, and three in ten fail there."""
    issues = promised(60)
    for _ in range(12):
        tracker.fail("create", unsure(), after=True)
        tracker.fail("create", failed())
        for _ in range(2):
            tracker.succeed("create")
    seconds = clock(300, until=lambda: not ExternalIssue.objects.exclude(state="created").exists())
    assert seconds <= 45
    assert {len(tracker.issues_with(issue.key)) for issue in issues} == {1}


# --- Late ones ------------------------------------------------------------------------------


def second_of(tracker, issue):
    """Another issue there with the same key."""
    [there] = tracker.issues_with(issue.key)
    state = replace(there.state, ref=IssueRef("999", "SEC-999"))
    tracker.issues["999"] = replace(there, state=state, attempt="x")


def test_it_keeps_the_second_of_two_as_an_orphan(tracker):
    issue = promised()
    tracker.fail("create", unsure(), after=True)
    tracker.fail("find_new", unsure())
    deliver_due()
    second_of(tracker, issue)
    due(issue)
    deliver_due()
    issue.refresh_from_db()
    assert issue.issue_key == "SEC-1"
    assert list(Orphan.objects.values_list("remote_key", flat=True)) == ["SEC-999"]
    assert len(tracker.issues_with(issue.key)) == 2


def test_it_finds_a_late_second_issue_hours_later(tracker):
    issue = promised()
    tracker.fail("create", unsure(), after=True)
    deliver_due()
    issue.refresh_from_db()
    assert issue.not_before == issue.act_at == issue.posted_at + timedelta(hours=1)
    second_of(tracker, issue)
    sent_ago(issue, hours=1)
    deliver_due()
    issue.refresh_from_db()
    assert (issue.orphans.get().remote_key, issue.lookups) == ("SEC-999", 1)
    sent_ago(issue, hours=24)
    deliver_due()
    issue.refresh_from_db()
    assert (issue.orphans.count(), issue.act_at) == (1, None)


def test_a_cancelled_one_is_looked_for_later_on(tracker, analyst):
    issue = promised()
    tracker.fail("create", unsure())
    tracker.fail("find_new", unsure())
    deliver_due()
    ExternalIssue.objects.update(lookups=5)
    assert cancel(issue, actor=analyst)
    issue.refresh_from_db()
    assert issue.act_at == issue.not_before
