"""The one way to wake the queue."""

from __future__ import annotations

from django.db import transaction
from django_q.tasks import async_task


def enqueue(path: str, *args: object) -> None:
    """Have a worker run `path` (a dotted task path) once the current transaction has committed.

    It is a wake-up only: it carries no truth, may be lost, doubled or late, and the
    task it names must be safe to run at any time, any number of times.
    """

    def wake_up() -> None:  # not a partial: Django logs a failure by the function's name
        async_task(path, *args)

    transaction.on_commit(wake_up, robust=True)
