"""Entry points of the queue."""

from __future__ import annotations

from config.lib.tasks import enqueue
from config.runtime import lost_clusters
from config.runtime.retention import nightly


def heartbeat() -> None:
    """Do nothing: that a worker took this task is the sign of life (see `receivers.py`)."""


def free_claims() -> None:
    lost_clusters.free_claims()


def delete_old_rows() -> None:
    """Once a night, in stints: woken each minute, and at once where a stint was not enough."""
    if not nightly.delete_old_rows():
        enqueue("config.runtime.tasks.delete_old_rows")
