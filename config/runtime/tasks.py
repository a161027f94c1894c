"""Entry points of the queue."""

from __future__ import annotations

from config.runtime import lost_clusters


def heartbeat() -> None:
    """Do nothing: that a worker took this task is the sign of life (see `receivers.py`)."""


def free_claims() -> None:
    lost_clusters.free_claims()
