"""The one way to ring the queue."""

from __future__ import annotations

from django.db import transaction
from django_q.tasks import async_task


def enqueue(path: str, *args: object) -> None:
    """Ring `path` (a dotted task path) once the current transaction has committed.

    A ring is only a bell: it carries no truth, may be lost, doubled or late, and the
    task it names must be safe to run at any time, any number of times.
    """

    def ring() -> None:  # not a partial: Django logs a failure by the function's name
        async_task(path, *args)

    transaction.on_commit(ring, robust=True)
