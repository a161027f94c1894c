"""Reports for the queue: kept in Django's default storage, taken in by whichever worker comes.

A row of Import with `due_at` is the queue. A worker claims it by moving `due_at` ahead, which is
its lease; what it had no time for, or what died with it, falls due again. Nothing is taken in
twice: findings are known by their fingerprints, and each batch is counted with them, under the
lease.

A task of the queue ends after a minute, and going on with a report means reading it again from
its start. So a large one is taken by a process of its own, one at a time; it belongs to the
process group of its cluster and ends with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile
from time import monotonic
from typing import IO, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils import timezone

from config.lib.tasks import enqueue
from findings.formats import generic
from findings.formats.column_map import UnknownTable, offered
from findings.formats.generic_columns import ColumnMap
from findings.formats.stream import RefusedReport
from findings.imports import Sent, carry_on, refuse, source_called
from findings.models import Import
from findings.preview import look_through
from findings.spool import ReportTooLarge, chunks_of, spooled

MAX_BYTES = 200 * 1024 * 1024  # through the page; the API takes larger ones
STINT = 35  # seconds: the queue ends a task after 60
LEASE = timedelta(minutes=3)  # and a second for each megabyte
LARGE = 20 * 1024 * 1024  # bytes, unpacked: some 20,000 findings, ten seconds of an idle core
MOST_TRIES = 3  # without getting on
DECIDE_WITHIN = timedelta(days=1)  # then a report that was only looked through is forgotten
_ELSEWHERE = timedelta(hours=1)  # how long another machine may take that has the file
_AGAIN = timedelta(seconds=15)
_FOLDER = "uploads"
_IN_MEMORY = 2 * 1024 * 1024
_PACKED = (b"\x1f\x8b", b"PK")
_USUAL_RATIO = 20  # reports pack 10 to 60 times


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
        size=_size_unpacked(file),
        stored_as=default_storage.save(f"{_FOLDER}/{key}", file),
        due_at=timezone.now(),
    )
    row.save(force_insert=True)
    enqueue("findings.tasks.take_uploads")
    return row


def _size_unpacked(file: File[bytes]) -> int:
    """About; it is counted when the file is unpacked."""
    is_packed = file.read(2) in _PACKED
    file.seek(0)
    return file.size * (_USUAL_RATIO if is_packed else 1)


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
    if waiting.exclude(summary__has_key="is_unknown").update(
        state=Import.State.RUNNING, started_at=now, due_at=now, summary=None
    ):
        enqueue("findings.tasks.take_uploads")


def look_again(row: Import, columns: ColumnMap) -> None:
    """A person says what the columns of the table mean: look it through once more."""
    waiting = Import.objects.filter(pk=row.pk, state=Import.State.WAITING)
    if waiting.update(
        state=Import.State.CHECKING,
        columns=dict(columns),
        format=generic.NAME,
        summary=None,
        due_at=timezone.now(),
    ):
        enqueue("findings.tasks.take_uploads")


def discard(row: Import) -> None:
    """A person does not want it: nothing of it is left."""
    if Import.objects.filter(pk=row.pk, state=Import.State.WAITING).delete()[0]:
        default_storage.delete(row.stored_as)


def take_due(*, seconds: float = STINT) -> bool:
    """Take in what is due; False when the time was over before the work was."""
    ends = monotonic() + seconds
    while (row := _claim()) is not None:
        if row.size >= LARGE and row.is_at_work and row.stored_as:
            start_process(row)
            continue
        _take_claimed(row, has_time=lambda: monotonic() < ends)
        if row.state == Import.State.RUNNING and row.due_at is None:
            return False
    return True


def take_large(pk: UUID) -> None:
    """Take a claimed upload to its end, in a process of its own: see `start_process`."""
    row = Import.objects.select_related("source").get(pk=pk)
    # Without a leader from the start, as behind a shell that has ended, nobody's end is ours.
    has_time = _leader_lives if _leader_lives() else _always
    _take_claimed(row, has_time=has_time)
    enqueue("findings.tasks.take_uploads")  # for the large ones that waited


def start_process(row: Import) -> None:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "take_upload", str(row.pk)]
    subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  our own


def _leader_lives() -> bool:
    """Whether the cluster whose process group we are in is still there."""
    try:
        os.kill(os.getpgrp(), 0)
    except ProcessLookupError:
        return False
    return True


def _always() -> bool:
    return True


def _take_claimed(row: Import, *, has_time: Callable[[], bool]) -> None:
    """Take it in as far as there is time; `due_at` is None afterwards if we still had it."""
    try:
        _take(row, has_time)
    except _LeaseLost:
        return
    except FileNotFoundError:
        _leave_to_others(row)
        return
    if row.state == Import.State.RUNNING:
        _give_back(row)
    elif row.state != Import.State.WAITING:
        _forget(row)
    row.due_at = None


def _take(row: Import, has_time: Callable[[], bool]) -> None:
    if not row.is_at_work:
        return  # ended by a worker that died before it could say so
    if row.tries > MOST_TRIES:
        _refuse(row, f"Taking it in failed {MOST_TRIES} times after {row.received:,} records.")
        return
    with _content(row) as chunks:
        if row.state == Import.State.CHECKING:
            _look_through(row, chunks)
        else:
            carry_on(row, chunks, has_time=has_time, before_batch=_renew)


def _look_through(row: Import, chunks: Iterator[bytes]) -> None:
    try:
        with spooled(chunks, limit=settings.IMPORT_MAX_BYTES) as file:
            summary = look_through(file, _sent(row))
        found = summary.as_json()
    except UnknownTable as table:
        found = {"columns": offered(table.columns), "is_unknown": True}
    except RefusedReport as refusal:
        _refuse(row, refusal.reason)
        return
    row.state = Import.State.WAITING
    mine = Import.objects.filter(pk=row.pk, due_at=row.due_at)
    mine.update(state=row.state, summary=found, due_at=None, tries=0)


def _sent(row: Import) -> Sent:
    return Sent(
        source=row.source.name if row.source else "",
        scope=row.target,
        format_name=row.format,
        columns=row.columns,
        is_partial=row.is_partial,
    )


def _refuse(row: Import, reason: str) -> None:
    refuse(row, reason)
    row.save(update_fields=("state", "reason", "closing", "finished_at"))


def _claim() -> Import | None:
    while True:
        now = timezone.now()
        rows = Import.objects.select_related("source").filter(due_at__lte=now).order_by("due_at")
        leased = Import.objects.filter(due_at__gt=now, size__gte=LARGE)
        if leased.exclude(stored_as="").exists():
            rows = rows.filter(size__lt=LARGE)
        due = rows.first()
        if due is None:
            return None
        tries, lease = due.tries + 1, _lease(due)
        mine = Import.objects.filter(pk=due.pk, due_at=due.due_at)
        if mine.update(due_at=lease, tries=tries):
            due.due_at, due.tries = lease, tries
            return due


def _lease(row: Import) -> datetime:
    return timezone.now() + LEASE + timedelta(seconds=row.size // 1_000_000)


def _renew(row: Import) -> None:
    """In the transaction of each batch: whoever lost the lease records and counts nothing."""
    lease = _lease(row)
    if not Import.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=lease, tries=0):
        raise _LeaseLost
    row.due_at = lease


def _give_back(row: Import) -> None:
    Import.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=timezone.now(), tries=0)


def _leave_to_others(row: Import) -> None:
    """The file is not in our storage: another machine that has it takes it, or nobody can."""
    now = timezone.now()
    if not row.stored_as:  # it came in a request, whose process died
        _refuse(row, f"It ended after {row.received:,} records. Send the report again.")
        _forget(row)
        return
    if now - row.started_at < _ELSEWHERE:
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
