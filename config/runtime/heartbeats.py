"""Signs of life of clusters: a worker writes one whenever it takes a task.

A cluster wakes itself every few seconds (`broker.py`), so an idle one gives signs too. What
the queue library keeps about itself looks healthy while every worker is dead.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from config.lib.workers import cluster_name
from config.runtime.models import Heartbeat

EVERY = timedelta(seconds=5)
STUCK_AFTER = timedelta(seconds=settings.Q_CLUSTER["timeout"] + 30)
"""No task runs longer than the time-out, so a cluster silent for longer than this is stuck."""
FORGOTTEN_AFTER = timedelta(days=1)


def record(now: datetime) -> None:
    """Write a sign of life of the cluster that this process belongs to."""
    Heartbeat.objects.bulk_create(
        [Heartbeat(cluster=cluster_name(), at=now)],
        update_conflicts=True,
        unique_fields=["cluster"],
        update_fields=["at"],
    )


def last_of(cluster: str) -> datetime | None:
    return Heartbeat.objects.filter(cluster=cluster).values_list("at", flat=True).first()


def last_of_any() -> datetime | None:
    """The latest sign of life of any cluster on any machine."""
    latest: datetime | None = Heartbeat.objects.aggregate(latest=Max("at"))["latest"]
    return latest


def every_last() -> list[tuple[str, datetime]]:
    """Each cluster that is not forgotten, with its latest sign of life."""
    return list(Heartbeat.objects.order_by("cluster").values_list("cluster", "at"))


def silent(clusters: Collection[str], now: datetime) -> set[str]:
    """Those of the clusters that are gone: they gave their last sign too long ago, or were
    stopped, or killed by their supervisor."""
    heard = Heartbeat.objects.filter(cluster__in=list(clusters), at__gt=now - STUCK_AFTER)
    return set(clusters) - set(heard.values_list("cluster", flat=True))


def forget(cluster: str) -> None:
    """Drop a cluster that has stopped, and those that stopped without saying so."""
    Heartbeat.objects.filter(cluster=cluster).delete()
    Heartbeat.objects.filter(at__lt=timezone.now() - FORGOTTEN_AFTER).delete()
