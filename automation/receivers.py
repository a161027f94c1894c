"""News from below, answered by ringing the queue."""

from __future__ import annotations

from django.dispatch import receiver

from config.lib.tasks import enqueue
from findings.signals import findings_recorded


@receiver(findings_recorded)
def ring_evaluation(**_: object) -> None:
    enqueue("automation.tasks.evaluate")
