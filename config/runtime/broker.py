"""The queue's brokers, with one addition: a cluster rings itself every few seconds.

It rings for a sign of life, and for work that became due meanwhile: a second try, a look-up.
The ring goes straight into the cluster that asks for work, never through the shared queue,
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
from config.runtime.beats import EVERY

BEAT = "config.runtime.tasks.beat"
CONNECT_SECONDS = 2
ANSWER_SECONDS = 5  # more than the second that a cluster waits for a ring

Rings = list[tuple[Any, Any]]  # what to acknowledge (nothing, here), signed task


class SelfRinging:
    """Mix in before a broker. `dequeue` is only ever called by a cluster's own pusher."""

    _ring_at = 0.0

    def dequeue(self) -> Rings | None:
        if time.monotonic() >= self._ring_at:
            self._ring_at = time.monotonic() + EVERY.total_seconds()
            return [(None, _ring(path)) for path in (BEAT, *schedules.due())]
        rings: Rings | None = super().dequeue()  # type: ignore[misc]
        return rings


class OrmBroker(SelfRinging, ORM):  # type: ignore[misc]
    """Rings are rows of the database: nothing else to run."""


class RedisBroker(SelfRinging, Redis):  # type: ignore[misc]
    """Rings are a list in Redis: faster, and nothing is lost with it but time."""

    @staticmethod
    def get_connection(list_key: str | None = None) -> Connection:
        """A Redis that does not answer must not hold up the request that rings it."""
        return from_url(
            settings.REDIS_URL,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=ANSWER_SECONDS,
        )


def _ring(path: str) -> str:
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
