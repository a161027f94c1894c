"""Would a place take a ticket: what a problem is about, and what follows for the account."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from config.lib.deadline import Deadline
from tests.factories import DestinationFactory
from tests.fakes.tracker import FakeTracker, misconfigured, refused, transient, unauthorized
from ticketing import place_check
from ticketing.models import JiraAccount, RequestHour
from ticketing.place_check import Cause, checker_for
from ticketing.trackers.base import Fault, TrackerError

pytestmark = pytest.mark.django_db
ELSEWHERE = TrackerError(Fault.CONFIG, "There is no Jira.", whole_account=True)


@pytest.fixture
def tracker(monkeypatch):
    fake = FakeTracker()

    @contextmanager
    def for_account(account, **options):
        yield fake

    monkeypatch.setattr(place_check, "tracker_for", for_account)
    return fake


@pytest.fixture
def place():
    return DestinationFactory()


@pytest.fixture
def checker(tracker, place):
    with checker_for(place.account, deadline=Deadline(5)) as checker:
        yield checker


def test_it_finds_no_problem_where_a_ticket_would_be_taken(checker, place):
    assert checker.check_account() is None
    assert checker.check(place, {}) is None


@pytest.mark.parametrize(
    ("error", "cause", "pauses"),
    [
        (misconfigured("Field Team is required.", field="team"), Cause.PLACE, False),
        (refused(), Cause.CALL, False),
        (transient(), Cause.ACCOUNT, True),
        (unauthorized(), Cause.ACCOUNT, True),
        (ELSEWHERE, Cause.ACCOUNT, True),
    ],
)
def test_it_says_what_a_problem_is_about_and_spares_an_account_in_trouble(
    tracker, checker, place, error, cause, pauses
):
    tracker.fail("check", error)

    problem = checker.check(place, {})

    assert (problem.cause, problem.reason, problem.field) == (cause, error.reason, error.field)
    assert (JiraAccount.objects.get().paused_until is not None) is pauses
    assert RequestHour.objects.exists() is pauses


def test_a_refused_login_is_the_account_s(tracker, checker):
    tracker.fail("identify", unauthorized())

    assert checker.check_account().cause is Cause.ACCOUNT
