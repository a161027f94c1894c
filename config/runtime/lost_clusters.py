"""Clusters that are gone while they hold claims: what they had not sent is free at once."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from config.lib.workers import cluster_of
from config.runtime import heartbeats
from ticketing.outbox import lost


def hold_claims(now: datetime) -> bool:
    """Whether a cluster holds claims that gives no sign of life any more."""
    return bool(_lost(now))


def free_claims() -> None:
    clusters = _lost(timezone.now())
    if clusters:
        lost.free_lost(lambda worker: cluster_of(worker) in clusters)


def _lost(now: datetime) -> set[str]:
    clusters = {cluster_of(worker) for worker in lost.claiming_workers()} - {""}
    return heartbeats.silent(clusters, now) if clusters else set()
