"""Entry points of the queue. Imported by nobody; each is safe to run at any time, any number
of times."""

from __future__ import annotations

from django.utils import timezone

from findings import services


def wake_muted() -> None:
    """Mutes that have ended; runs every minute."""
    services.wake_muted(timezone.now())
