"""Reports that people upload: kept in the database, taken in by the queue, in stints.

A row of Import with `due_at` is the queue. A worker claims it by moving `due_at` ahead, which is
its lease; what it had no time for, or what died with it, falls due again. Nothing is taken in
twice: findings are known by their fingerprints, and each batch is counted with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from time import monotonic

from django.utils import timezone

from config.lib.tasks import enqueue
from findings.imports import Sent, carry_on, printable, refuse, source_called
from findings.models import Import, ImportPart

MAX_BYTES = 200 * 1024 * 1024  # through the page; the API takes larger ones
STINT = 35  # seconds: the queue ends a task after 60
LEASE = timedelta(minutes=3)
MOST_TRIES = 3  # without getting on
_PART = 1024 * 1024


def keep(chunks: Iterable[bytes], sent: Sent) -> Import:
    """Store the file and ring the queue. Only a file that is there as a whole falls due."""
    row = Import.objects.create(
        file_name=printable(sent.file_name)[-255:],
        format=sent.format_name,
        source=source_called(sent.source) if sent.source else None,
        started_by=sent.by[:120],
    )
    for number, content in enumerate(_parts(chunks)):
        ImportPart.objects.create(upload=row, number=number, content=content)
    row.due_at = timezone.now()
    row.save(update_fields=["due_at"])
    enqueue("findings.tasks.take_uploads")
    return row


def take_due(*, seconds: float = STINT) -> bool:
    """Take in what is due; False when the time was over before the work was."""
    ends = monotonic() + seconds
    while (row := _claim()) is not None:
        if row.tries > MOST_TRIES:
            refuse(row, f"Taking it in failed {MOST_TRIES} times after {row.received:,} records.")
            row.save(update_fields=["state", "reason", "finished_at"])
        else:
            carry_on(row, _content(row), has_time=lambda: monotonic() < ends)
        if row.state == Import.State.RUNNING:
            _give_back(row)
            return False
        _forget(row)
    return True


def _claim() -> Import | None:
    while True:
        now = timezone.now()
        row = Import.objects.select_related("source").filter(due_at__lte=now).order_by("due_at")
        due = row.first()
        if due is None:
            return None
        tries, lease = due.tries + 1, now + LEASE
        mine = Import.objects.filter(pk=due.pk, due_at=due.due_at)
        if mine.update(due_at=lease, tries=tries):
            due.due_at, due.tries = lease, tries
            return due


def _give_back(row: Import) -> None:
    Import.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=timezone.now(), tries=0)


def _forget(row: Import) -> None:
    ImportPart.objects.filter(upload=row).delete()
    Import.objects.filter(pk=row.pk).update(due_at=None, tries=0)


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _PART):
            yield chunk[start : start + _PART]


def _content(row: Import) -> Iterator[bytes]:
    parts = ImportPart.objects.filter(upload=row).order_by("number")
    for number in parts.values_list("number", flat=True):
        yield bytes(parts.values_list("content", flat=True).get(number=number))
