from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """The last time a worker of one cluster ran a task, written by that task itself."""

    cluster = models.CharField(max_length=200, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.cluster


class TaskFailure(models.Model):
    """A task of the queue whose last run failed. Gone as soon as a run of it succeeds.

    Why is in the log, and in the queue's own record of the task.
    """

    path = models.CharField(max_length=200, primary_key=True)
    failures = models.PositiveIntegerField()  # in a row
    since = models.DateTimeField()
    latest_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.path
