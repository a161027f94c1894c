"""News from below, answered by ringing the queue."""

from __future__ import annotations

from django.dispatch import receiver

from config.lib.tasks import enqueue
from findings.signals import findings_changed


@receiver(findings_changed)
def ring_following(**_: object) -> None:
    enqueue("ticketing.tasks.follow")
