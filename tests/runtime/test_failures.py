"""A job that fails stops no other, and says so until it succeeds."""

from __future__ import annotations

import pytest
from django.db import DatabaseError
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.signals import post_execute_in_worker

from config.runtime import failures, heartbeats, views
from config.runtime.models import TaskFailure
from config.runtime.schedules import EVERY_MINUTE

pytestmark = pytest.mark.django_db


def run(path):
    """As a worker of the queue does."""
    task = {"id": "1", "func": path}
    try:
        result, success = import_string(path)(), True
    except ZeroDivisionError as error:
        result, success = str(error), False
    post_execute_in_worker.send("django_q", task=task | {"result": result, "success": success})


@pytest.fixture
def broken(monkeypatch):
    """`broken("ticketing.tasks.lost")`: everything that this module does raises."""

    def fail(name):
        class Broken:
            def __getattr__(self, _):
                raise ZeroDivisionError

        monkeypatch.setattr(name, Broken())

    return fail


def parts(client):
    views.READINESS.forget()
    heartbeats.record(timezone.now())
    answer = client.get("/readyz")
    return answer.status_code, answer.json()["parts"]["tasks"]


def test_one_job_that_fails_stops_no_other(broken, client, frozen):
    broken("ticketing.tasks.lost")
    for path in EVERY_MINUTE:
        run(path)
    failed = {"ticketing.tasks.free_expired": 1}
    assert parts(client) == (200, {"ok": True, "failing": failed})
    assert 'fa_task_failures{task="ticketing.tasks.free_expired"} 1.0' in (
        client.get("/metrics").content.decode().splitlines()
    )


def test_a_second_failure_is_an_alarm_and_a_success_ends_it(broken, client, frozen, monkeypatch):
    broken("ticketing.tasks.lost")
    for _ in range(failures.ENOUGH):
        run("ticketing.tasks.free_expired")
    failed = {"ticketing.tasks.free_expired": 2}
    assert parts(client) == (503, {"ok": False, "failing": failed})
    monkeypatch.undo()
    run("ticketing.tasks.free_expired")
    assert parts(client) == (200, {"ok": True, "failing": {}})


def test_a_task_that_no_longer_exists_is_no_alarm(client, frozen):
    run_of_the_past = {"id": "1", "func": "ticketing.tasks.sweep", "result": "", "success": False}
    for _ in range(3):
        post_execute_in_worker.send("django_q", task=run_of_the_past)
    assert TaskFailure.objects.get().failures == 3
    assert parts(client)[0] == 200


def test_it_does_not_end_the_worker_when_the_database_is_away(monkeypatch):
    def away(*_):
        raise DatabaseError

    monkeypatch.setattr(failures, "record_success", away)
    run("config.runtime.tasks.heartbeat")
