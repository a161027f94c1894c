from __future__ import annotations

from django.db import models


class Beat(models.Model):
    """The last time a worker of one cluster ran a task, written by that task itself."""

    cluster = models.CharField(max_length=200, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.cluster
