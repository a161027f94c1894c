from __future__ import annotations

from datetime import timedelta

import pytest
import structlog
from django.db import OperationalError
from django.utils import timezone
from django_q.signing import SignedPackage

from config.runtime import heartbeats, receivers
from config.runtime.broker import OrmBroker
from config.runtime.models import Heartbeat

TASK = {"id": "1", "func": "config.runtime.tasks.heartbeat"}


@pytest.fixture(autouse=True)
def _nothing_recorded_yet(monkeypatch):
    monkeypatch.setattr(receivers, "_recorded_at", None)
    yield
    structlog.contextvars.clear_contextvars()


@pytest.mark.django_db
def test_it_keeps_one_row_for_a_cluster(frozen):
    earlier = timezone.now()
    heartbeats.record(earlier)
    later = earlier + timedelta(seconds=5)
    heartbeats.record(later)
    assert heartbeats.last_of(heartbeats.cluster_name()) == heartbeats.last_of_any() == later
    assert Heartbeat.objects.count() == 1


@pytest.mark.django_db
def test_it_tells_clusters_apart(frozen):
    Heartbeat.objects.create(cluster="elsewhere:7", at=timezone.now())
    assert heartbeats.last_of(heartbeats.cluster_name()) is None
    assert heartbeats.last_of_any() == timezone.now()


@pytest.mark.django_db
def test_it_forgets_a_cluster_and_those_long_silent(frozen):
    now = timezone.now()
    Heartbeat.objects.create(cluster="stopped", at=now)
    Heartbeat.objects.create(cluster="killed last week", at=now - timedelta(days=7))
    Heartbeat.objects.create(cluster="alive", at=now)
    heartbeats.forget("stopped")
    assert set(Heartbeat.objects.values_list("cluster", flat=True)) == {"alive"}


@pytest.mark.django_db
def test_it_records_a_beat_when_a_worker_takes_a_task(frozen):
    receivers.record_heartbeat(task=TASK)
    assert heartbeats.last_of_any() == timezone.now()


@pytest.mark.django_db
def test_it_writes_at_most_once_in_a_few_seconds(frozen, django_assert_num_queries):
    receivers.record_heartbeat(task=TASK)
    with django_assert_num_queries(0):
        receivers.record_heartbeat(task=TASK)
    frozen.shift(heartbeats.EVERY)
    receivers.record_heartbeat(task=TASK)
    assert heartbeats.last_of_any() == timezone.now()


def test_it_leaves_a_database_that_is_away_to_the_task(monkeypatch):
    def refuse(_):
        raise OperationalError("gone")

    monkeypatch.setattr(heartbeats, "record", refuse)
    receivers.record_heartbeat(task=TASK)
    assert receivers._recorded_at is None


@pytest.mark.django_db
def test_a_cluster_rings_itself_and_then_asks_the_queue(monkeypatch):
    monkeypatch.setattr("django_q.brokers.orm.sleep", lambda _: None)
    broker = OrmBroker(list_key="test")
    ((nothing_to_acknowledge, package),) = broker.dequeue()
    assert nothing_to_acknowledge is None
    assert SignedPackage.loads(package)["func"] == "config.runtime.tasks.heartbeat"
    assert broker.dequeue() is None
    broker.enqueue("a wake-up")
    ((row, package),) = broker.dequeue()
    assert (bool(row), package) == (True, "a wake-up")
