"""A cluster wakes itself for work that became due."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.utils import timezone
from django_q.signing import SignedPackage

from config.runtime import schedules
from config.runtime.broker import HEARTBEAT, SelfWaking
from tests.factories import FindingFactory
from tests.ticketing.outbox import promised
from ticketing.models import ExternalIssue

pytestmark = pytest.mark.django_db
DELIVER = "ticketing.tasks.deliver"


class Idle:
    def dequeue(self):
        return None


class Broker(SelfWaking, Idle):
    pass


def woken_for(broker):
    return [SignedPackage.loads(signed)["func"] for _, signed in broker.dequeue() or ()]


def test_it_rings_for_life_and_for_what_is_due():
    promised()
    broker = Broker()
    assert woken_for(broker) == [HEARTBEAT, DELIVER]
    assert woken_for(broker) == []


def test_a_ticket_that_becomes_due_is_seen_within_a_second(monkeypatch):
    seconds = iter((10.0, 10.9, 11.0, 11.9, 12.0))
    monkeypatch.setattr("config.runtime.broker.time.monotonic", lambda: next(seconds))
    broker = Broker()
    assert woken_for(broker) == [HEARTBEAT]
    promised()
    rung = [woken_for(broker) for _ in range(4)]
    assert rung == [[], [DELIVER], [], [DELIVER]]


@pytest.mark.parametrize(
    "said",
    [
        {"not_before": timezone.now() + timedelta(days=1)},
        {"state": "blocked"},
        {"state": "cancelled", "was_unsure": True, "lookups": 2},
    ],
)
def test_it_does_not_ring_for_what_is_not_due(said):
    promised()
    ExternalIssue.objects.update(**said)
    assert woken_for(Broker()) == [HEARTBEAT]


@pytest.mark.parametrize(
    "said",
    [
        {"state": "auth_failed", "problem": "No."},
        {"paused_until": timezone.now() + timedelta(days=1)},
    ],
)
def test_it_does_not_ring_for_an_account_that_may_not_be_called(said):
    account = promised().account
    type(account).objects.update(**said)
    assert DELIVER not in woken_for(Broker())


def test_it_rings_for_a_look_up_and_for_a_late_one():
    promised()
    for said in ({"state": "unsure"}, {"state": "cancelled", "was_unsure": True}):
        ExternalIssue.objects.update(**said)
        assert woken_for(Broker()) == [HEARTBEAT, DELIVER]


def test_it_still_gives_signs_of_life_while_the_database_is_away(monkeypatch):
    def away(_):
        raise DatabaseError

    monkeypatch.setattr(schedules, "WHEN_DUE", {DELIVER: away})
    monkeypatch.setattr(schedules, "close_old_connections", lambda: None)
    assert woken_for(Broker()) == [HEARTBEAT]


def test_asking_what_is_due_is_cheap(django_assert_num_queries):
    promised()
    ExternalIssue.objects.update(state="created", issue_id="1")
    with django_assert_num_queries(9):
        schedules.due()


@pytest.mark.parametrize(("seconds", "rings"), [(1, False), (6, True), (61, False)])
def test_a_lost_wake_up_of_the_pipeline_costs_seconds(seconds, rings):
    FindingFactory(unevaluated_since=timezone.now() - timedelta(seconds=seconds))
    assert ("automation.tasks.evaluate" in woken_for(Broker())) is rings
