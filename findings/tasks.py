"""Entry points of the queue. Imported by nobody; each is safe to run at any time, any number
of times."""

from __future__ import annotations

from django.utils import timezone

from config.lib.tasks import enqueue
from findings import services, uploads


def wake_muted() -> None:
    """Mutes that have ended; runs every minute."""
    services.wake_muted(timezone.now())


def take_uploads() -> None:
    """Uploaded reports; rung by the page, and every minute for what a lost ring left behind."""
    if not uploads.take_due():
        enqueue("findings.tasks.take_uploads")
