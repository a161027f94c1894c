"""Signs of life of clusters: a worker writes one whenever it takes a task.

A cluster rings itself every few seconds (`broker.py`), so an idle one gives signs too. What
the queue library keeps about itself looks healthy while every worker is dead.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from config.runtime.models import Beat

EVERY = timedelta(seconds=5)
STUCK_AFTER = timedelta(seconds=settings.Q_CLUSTER["timeout"] + 30)
"""No task runs longer than the time-out, so a cluster silent for longer than this is stuck."""
FORGOTTEN_AFTER = timedelta(days=1)


def cluster_name(process_group: int | None = None) -> str:
    """The name of the cluster in that process group of this machine, by default our own."""
    return f"{socket.gethostname()}:{process_group or os.getpgrp()}"


def record(now: datetime) -> None:
    """Write a sign of life of the cluster that this process belongs to."""
    Beat.objects.bulk_create(
        [Beat(cluster=cluster_name(), at=now)],
        update_conflicts=True,
        unique_fields=["cluster"],
        update_fields=["at"],
    )


def last_of(cluster: str) -> datetime | None:
    return Beat.objects.filter(cluster=cluster).values_list("at", flat=True).first()


def last_of_any() -> datetime | None:
    """The latest sign of life of any cluster on any machine."""
    latest: datetime | None = Beat.objects.aggregate(latest=Max("at"))["latest"]
    return latest


def every_last() -> list[tuple[str, datetime]]:
    """Each cluster that is not forgotten, with its latest sign of life."""
    return list(Beat.objects.order_by("cluster").values_list("cluster", "at"))


def forget(cluster: str) -> None:
    """Drop a cluster that has stopped, and those that stopped without saying so."""
    Beat.objects.filter(cluster=cluster).delete()
    Beat.objects.filter(at__lt=timezone.now() - FORGOTTEN_AFTER).delete()
