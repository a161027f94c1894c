"""Entry points of the queue."""

from __future__ import annotations


def beat() -> None:
    """Do nothing: that a worker took this task is the sign of life (see `receivers.py`)."""
