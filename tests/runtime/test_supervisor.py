"""The supervisor with small commands in place of the web server and the queue."""

from __future__ import annotations

import os
import sys
import time

import pytest
from django.db import OperationalError

from config.lib.workers import cluster_name
from config.runtime import heartbeats, supervisor
from config.runtime.supervisor import Child, Exit, Supervisor

SLEEPS = "import time; time.sleep(60)"
ENDS = "pass"
IGNORES_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(supervisor, "LOOK_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 1)
    monkeypatch.setattr(supervisor.signal, "signal", lambda *_: None)
    monkeypatch.setattr(heartbeats, "forget", lambda _: None)
    monkeypatch.setattr(heartbeats, "last_of", lambda _: None)


def child(code: str) -> Child:
    return Child("child", [sys.executable, "-c", code], os.environ)


def test_it_gives_up_when_the_queue_keeps_ending(monkeypatch):
    monkeypatch.setattr(supervisor, "MAX_RESTARTS", 2)
    web = child(SLEEPS)
    result = Supervisor(web=web, queue=child(ENDS), on_start=lambda: None).run()
    assert result == Exit.GAVE_UP == 1
    assert web.has_exited


def test_it_says_so_when_a_child_had_to_be_killed():
    running = Supervisor(web=None, queue=child(IGNORES_TERM), on_start=lambda: time.sleep(0.5))
    running._ask_to_stop()
    assert running.run() == Exit.KILLED == 3


def test_it_waits_longer_after_each_restart(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    forgotten = []
    monkeypatch.setattr(heartbeats, "forget", forgotten.append)
    queue = child(ENDS)
    queue.start()
    running = Supervisor(web=None, queue=queue, on_start=lambda: None)
    waits = []
    for _ in range(supervisor.MAX_RESTARTS):
        assert running._heal(queue) is None
        waits.append(running._start_queue_at - 1000)
    assert waits == [0, 1, 3, 7, 15]
    assert running._heal(queue) == Exit.GAVE_UP
    # Whatever it had claimed is free for others at once.
    assert set(forgotten) == {cluster_name(queue.pid)}


def test_it_does_not_take_a_silent_database_for_a_stuck_queue(monkeypatch):
    def refuse(_):
        raise OperationalError("gone")

    monkeypatch.setattr(heartbeats, "last_of", refuse)
    queue = child(ENDS)
    queue.start()
    monkeypatch.setattr(queue, "started_at", queue.started_at - 2 * heartbeats.STUCK_AFTER)
    assert not Supervisor(web=None, queue=queue, on_start=lambda: None)._is_stuck(queue)
    queue.kill()
