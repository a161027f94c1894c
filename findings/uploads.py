"""Reports that people upload: kept in Django's default storage, taken in by the queue, in stints.

A row of Import with `due_at` is the queue. A worker claims it by moving `due_at` ahead, which is
its lease; what it had no time for, or what died with it, falls due again. Nothing is taken in
twice: findings are known by their fingerprints, and each batch is counted with them, under the
lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from tempfile import SpooledTemporaryFile
from time import monotonic
from typing import IO, cast
from uuid import uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils import timezone

from config.lib.tasks import enqueue
from findings.formats.stream import RefusedReport
from findings.imports import Sent, carry_on, refuse, source_called
from findings.models import Import
from findings.preview import look_through
from findings.spool import ReportTooLarge, chunks_of, spooled

MAX_BYTES = 200 * 1024 * 1024  # through the page; the API takes larger ones
STINT = 35  # seconds: the queue ends a task after 60
LEASE = timedelta(minutes=3)
MOST_TRIES = 3  # without getting on
DECIDE_WITHIN = timedelta(days=1)  # then a report that was only looked through is forgotten
_ELSEWHERE = timedelta(hours=1)  # how long another machine may take that has the file
_AGAIN = timedelta(seconds=15)
_FOLDER = "uploads"
_IN_MEMORY = 2 * 1024 * 1024


class _LeaseLost(Exception):
    """Another worker has the upload by now."""


def keep(file: File[bytes], sent: Sent, *, asks_first: bool = False) -> Import:
    """Store the file and ring the queue; with `asks_first` it is only looked through.

    Stored before its row, so a row is only there for a file that is there as a whole.
    """
    _forget_abandoned()
    key = uuid4()
    row = sent.row(
        pk=key,
        source=source_called(sent.source) if sent.source else None,
        state=Import.State.CHECKING if asks_first else Import.State.RUNNING,
        stored_as=default_storage.save(f"{_FOLDER}/{key}", file),
        due_at=timezone.now(),
    )
    row.save(force_insert=True)
    enqueue("findings.tasks.take_uploads")
    return row


def keep_chunks(chunks: Iterable[bytes], sent: Sent) -> Import:
    """As `keep`, from a request's body. RefusedReport for one that is too large."""
    limit = settings.IMPORT_MAX_BYTES
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        for chunk in chunks:
            file.write(chunk)
            if file.tell() > limit:
                raise ReportTooLarge(f"The report is larger than {limit:,} bytes.")
        file.seek(0)
        return keep(File(cast("IO[bytes]", file)), sent)


def begin(row: Import) -> None:
    """A person who has seen what a report holds wants it in."""
    now = timezone.now()
    waiting = Import.objects.filter(pk=row.pk, state=Import.State.WAITING)
    if waiting.update(state=Import.State.RUNNING, started_at=now, due_at=now, summary=None):
        enqueue("findings.tasks.take_uploads")


def discard(row: Import) -> None:
    """A person does not want it: nothing of it is left."""
    if Import.objects.filter(pk=row.pk, state=Import.State.WAITING).delete()[0]:
        default_storage.delete(row.stored_as)


def take_due(*, seconds: float = STINT) -> bool:
    """Take in what is due; False when the time was over before the work was."""
    ends = monotonic() + seconds
    while (row := _claim()) is not None:
        try:
            _take(row, ends)
        except _LeaseLost:
            continue
        except FileNotFoundError:
            _leave_to_others(row)
            continue
        if row.state == Import.State.RUNNING:
            _give_back(row)
            return False
        if row.state != Import.State.WAITING:
            _forget(row)
    return True


def _take(row: Import, ends: float) -> None:
    if row.state in (Import.State.DONE, Import.State.REFUSED):
        return  # by a worker that died before it could say so
    if row.tries > MOST_TRIES:
        _refuse(row, f"Taking it in failed {MOST_TRIES} times after {row.received:,} records.")
        return
    with _content(row) as chunks:
        if row.state == Import.State.CHECKING:
            _look_through(row, chunks)
        else:
            carry_on(row, chunks, has_time=lambda: monotonic() < ends, before_batch=_renew)


def _look_through(row: Import, chunks: Iterator[bytes]) -> None:
    try:
        with spooled(chunks, limit=settings.IMPORT_MAX_BYTES) as file:
            summary = look_through(file, _sent(row))
    except RefusedReport as refusal:
        _refuse(row, refusal.reason)
        return
    row.state = Import.State.WAITING
    mine = Import.objects.filter(pk=row.pk, due_at=row.due_at)
    mine.update(state=row.state, summary=summary.as_json(), due_at=None, tries=0)


def _sent(row: Import) -> Sent:
    return Sent(
        source=row.source.name if row.source else "",
        scope=row.target,
        format_name=row.format,
        is_partial=row.is_partial,
    )


def _refuse(row: Import, reason: str) -> None:
    refuse(row, reason)
    row.save(update_fields=("state", "reason", "closing", "finished_at"))


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


def _renew(row: Import) -> None:
    """In the transaction of each batch: whoever lost the lease records and counts nothing."""
    lease = timezone.now() + LEASE
    if not Import.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=lease, tries=0):
        raise _LeaseLost
    row.due_at = lease


def _give_back(row: Import) -> None:
    Import.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=timezone.now(), tries=0)


def _leave_to_others(row: Import) -> None:
    """The file is not in our storage: another machine that has it takes it, or nobody can."""
    now = timezone.now()
    if row.stored_as and now - row.started_at < _ELSEWHERE:
        again = Import.objects.filter(pk=row.pk, due_at=row.due_at)
        again.update(due_at=now + _AGAIN, tries=0)
        return
    _refuse(row, "The uploaded file is gone. Send it again; machines must share their storage.")
    _forget(row)


def _forget(row: Import) -> None:
    if row.stored_as:
        default_storage.delete(row.stored_as)
    Import.objects.filter(pk=row.pk).update(due_at=None, tries=0)


def _forget_abandoned() -> None:
    """Reports that nobody decided about; whoever uploads the next one clears them away."""
    since = timezone.now() - DECIDE_WITHIN
    for row in Import.objects.filter(state=Import.State.WAITING, started_at__lt=since):
        discard(row)


@contextmanager
def _content(row: Import) -> Iterator[Iterator[bytes]]:
    if not row.stored_as:
        raise FileNotFoundError
    file: IO[bytes]
    with default_storage.open(row.stored_as) as file:
        yield chunks_of(file)
