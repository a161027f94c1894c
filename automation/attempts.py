"""What keeps a killed worker from being killed by the same work for ever.

Whoever evaluates writes a row before the work and deletes it after. A row that is left tells
the next worker how much was at hand; it takes less, down to a single finding, whose row names
it. One that was killed alone more than once is known to be the culprit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from automation.models import EvaluationAttempt

SHRINKS_BY = 32  # 1,000 → 31 → 1: a culprit is alone after two kills, not after ten
MAX_TRIES = 2  # alone: a deployment or a full memory may kill a worker, too
LOST_AFTER = timedelta(seconds=settings.Q_CLUSTER["timeout"] + 15)
"""The queue kills a task after its time-out, so an older attempt is nobody's any more."""


def begin(size: int) -> EvaluationAttempt:
    """An attempt with chunks of `size`, or of fewer where the last one was killed."""
    lost = take_lost(timezone.now())
    if lost is None:
        return EvaluationAttempt.objects.create(size=size)
    return EvaluationAttempt.objects.create(
        size=max(1, min(size, lost.size // SHRINKS_BY)),
        finding_id=lost.finding_id,
        tries=lost.tries + 1 if lost.finding_id else 0,
    )


def take_lost(now: datetime) -> EvaluationAttempt | None:
    """What the worker left that was killed last; to one caller alone."""
    for attempt in EvaluationAttempt.objects.filter(started_at__lt=now - LOST_AFTER):
        deleted, _ = EvaluationAttempt.objects.filter(pk=attempt.pk).delete()
        if deleted:
            return attempt
    return None


def hold(attempt: EvaluationAttempt, finding_id: int) -> bool:
    """Name the only finding at hand, before it is decided; False if it was killed too often."""
    if attempt.finding_id == finding_id and attempt.tries >= MAX_TRIES:
        return False
    if attempt.finding_id != finding_id:
        attempt.finding_id, attempt.tries = finding_id, 0
        EvaluationAttempt.objects.filter(pk=attempt.pk).update(finding_id=finding_id, tries=0)
    return True


def grow(attempt: EvaluationAttempt, most: int) -> None:
    """What was at hand is done: take more at once again."""
    attempt.size = min(most, attempt.size * SHRINKS_BY)
    attempt.finding_id = None
    EvaluationAttempt.objects.filter(pk=attempt.pk).update(
        size=attempt.size, finding_id=None, tries=0
    )


def end(attempt: EvaluationAttempt) -> None:
    EvaluationAttempt.objects.filter(pk=attempt.pk).delete()
