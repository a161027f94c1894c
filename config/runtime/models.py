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


class Retention(models.Model):
    """How far the deletion of old rows of one kind has come. Written by `retention` alone."""

    kind = models.CharField(max_length=40, primary_key=True)  # its name in config.lib.retention
    night = models.DateField(null=True)  # the one under way, or the last
    is_done = models.BooleanField(default=False)  # for that night
    held = models.CharField(max_length=200, blank=True)  # why nothing is deleted in that night
    cutoff = models.DateTimeField(null=True)  # of the last night that came to its end
    began = models.DateField(null=True)  # the pass through all rows
    cursors = models.JSONField(default=dict)  # table → the last row that was looked at
    looked_at = models.PositiveBigIntegerField(default=0)  # rows, in that night
    deleted = models.PositiveBigIntegerField(default=0)  # the same
    finished_at = models.DateTimeField(null=True)
    # As counted then:
    rows = models.PositiveBigIntegerField(null=True)
    oldest = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.night}"
