"""Entry points of the queue. Imported by nobody; each is safe to run at any time, any number
of times."""

from __future__ import annotations

from django.utils import timezone

from config.lib.tasks import enqueue
from findings import mute_expiry
from findings.columnar.pruning import prune
from findings.imports import closing, queue, undo
from findings.trends.rollups import refresh_for

COUNTING_SECONDS = 15
"""After which what is left is another task: the queue ends those that take a minute."""


def wake_muted() -> None:
    """Mutes that have ended; runs every minute."""
    if not mute_expiry.wake_muted(timezone.now()):
        enqueue("findings.tasks.wake_muted")


def take_uploads() -> None:
    """Uploaded reports; enqueued by the page, and each minute for what a lost wake-up left."""
    if not queue.take_due():
        enqueue("findings.tasks.take_uploads")


def forget_abandoned_uploads() -> None:
    """Reports that nobody decided about; runs every minute."""
    queue.forget_abandoned()


def delete_stray_uploads() -> None:
    """Files that a process that died has left without their rows; runs every minute."""
    queue.delete_stray_files()


def finish_resolving() -> None:
    """Findings that a person resolved and a process that died did not close; every minute."""
    closing.finish_resolving()


def count_days() -> None:
    """The counts of days that changed, a few at once; runs every minute."""
    if not refresh_for(COUNTING_SECONDS):
        enqueue("findings.tasks.count_days")


def forget_changes() -> None:
    """The log of changes of an hour ago; runs every minute."""
    prune()


def finish_undoing() -> None:
    """Imports that a person undoes; woken by the page, and each minute for what died."""
    undo.finish_begun()
