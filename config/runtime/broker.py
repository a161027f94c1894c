"""The queue's brokers, with one addition: a cluster wakes itself every few seconds.

It wakes for a sign of life, and for work that became due meanwhile: a second try, a look-up.
The wake-up goes straight into the cluster that asks for work, never through the shared queue,
where another machine's worker could answer it for a cluster that is stuck.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.humanhash import uuid
from django_q.signing import SignedPackage
from redis import Redis as Connection
from redis import from_url

from config.runtime import schedules
from config.runtime.heartbeats import EVERY

HEARTBEAT = "config.runtime.tasks.heartbeat"
A_SECOND = 1.0
CONNECT_SECONDS = 2
ANSWER_SECONDS = 5  # more than the second that a cluster waits for a wake-up

WakeUps = list[tuple[Any, Any]]  # what to acknowledge (nothing, here), signed task


class SelfWaking:
    """Mix in before a broker. `dequeue` is only ever called by a cluster's own pusher."""

    _wake_up_at = _look_at = 0.0

    def dequeue(self) -> WakeUps | None:
        now = time.monotonic()
        if now >= self._wake_up_at:
            self._wake_up_at, self._look_at = now + EVERY.total_seconds(), now + A_SECOND
            return [(None, _wake_up(path)) for path in (HEARTBEAT, *schedules.due())]
        if now >= self._look_at:
            self._look_at = now + A_SECOND
            if paths := schedules.due(schedules.EACH_SECOND):
                return [(None, _wake_up(path)) for path in paths]
        wake_ups: WakeUps | None = super().dequeue()  # type: ignore[misc]
        return wake_ups


class OrmBroker(SelfWaking, ORM):  # type: ignore[misc]
    """Wake-ups are rows of the database: nothing else to run."""


class RedisBroker(SelfWaking, Redis):  # type: ignore[misc]
    """Wake-ups are a list in Redis: faster, and nothing is lost with it but time."""

    @staticmethod
    def get_connection(list_key: str | None = None) -> Connection:
        """A Redis that does not answer must not hold up the request that enqueues."""
        return from_url(
            settings.REDIS_URL,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
        )


def _wake_up(path: str) -> str:
    name, task_id = uuid()
    signed: str = SignedPackage.dumps(
        {
            "id": task_id,
            "name": name,
            "func": path,
            "args": (),
            "kwargs": {},
            "started": datetime.now(UTC),
            "ack_failure": True,
        }
    )
    return signed
