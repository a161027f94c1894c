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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO, cast
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.utils import timezone

from config.accounts.audit.events import Object, record_event
from config.lib.deadline import Deadline
from config.lib.elapsed import when_text
from config.lib.isolation import run_each
from config.lib.tasks import enqueue
from findings.formats.readers import generic
from findings.formats.shapes.column_map import UnknownTable, offered
from findings.formats.shapes.generic_columns import ColumnMap
from findings.formats.streams.records import RefusedReport
from findings.imports.dry_run import dry_run
from findings.imports.run import ImportOptions, carry_on, refuse, source_called
from findings.imports.spool import ReportTooLarge, chunks_of, spooled
from findings.models import Import

MAX_BYTES = 200 * 1024 * 1024  # through the page; the API takes larger ones
STINT = 35  # seconds: the queue ends a task after 60
LEASE = timedelta(seconds=90)  # and one for each megabyte; the queue ends a task after 60
LARGE = 20 * 1024 * 1024  # bytes, unpacked: some 20,000 findings, ten seconds of an idle core
MAX_TRIES = 3  # without getting on
DECIDE_WITHIN = timedelta(days=1)  # then a report that was only looked through is forgotten
STRAY_AFTER = timedelta(hours=1)  # much longer than from a file to its row
_ELSEWHERE = timedelta(hours=1)  # how long another machine may take that has the file
_AGAIN = timedelta(seconds=15)
_FOLDER = "uploads"
_IN_MEMORY = 2 * 1024 * 1024
_PACKED = (b"\x1f\x8b", b"PK")
_USUAL_RATIO = 20  # reports pack 10 to 60 times


class NewerReport(ValueError):
    """Another report of the scope came in meanwhile; `str(error)` says so to a person."""


class _LeaseLost(Exception):
    """Another worker has the upload by now."""


def store(file: File[bytes], options: ImportOptions, *, asks_first: bool = False) -> Import:
    """Store the file and wake the queue; with `asks_first` it is only looked through.

    Stored before its row, so a row is only there for a file that is there as a whole. What dies
    in between leaves a file to `delete_stray_files`.
    """
    key = uuid4()
    row = options.row(
        pk=key,
        source=source_called(options.source) if options.source else None,
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


def store_chunks(chunks: Iterable[bytes], options: ImportOptions) -> Import:
    """As `store`, from a request's body. RefusedReport for one that is too large."""
    limit = settings.IMPORT_MAX_BYTES
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        for chunk in chunks:
            file.write(chunk)
            if file.tell() > limit:
                raise ReportTooLarge(f"The report is larger than {limit:,} bytes.")
        file.seek(0)
        return store(File(cast("IO[bytes]", file)), options)


def confirm(row: Import) -> bool:
    """A person who has seen what a report holds wants it in; False if it is decided already.

    Raises NewerReport: an older one would open again what is fixed by now.
    """
    now = timezone.now()
    if newer := _newer(row):
        raise NewerReport(
            f"A newer report of this scope came in {when_text(newer.started_at)}, so this "
            "one was not imported. Discard it, or upload it again to see what it would do now."
        )
    waiting = Import.objects.filter(pk=row.pk, state=Import.State.WAITING)
    if waiting.exclude(summary__has_key="is_unknown").update(
        state=Import.State.RUNNING, started_at=now, due_at=now, summary=None
    ):
        record_event("import", "confirmed", on=_object(row), details={"size": row.size})
        enqueue("findings.tasks.take_uploads")
        return True
    return False


def _newer(row: Import) -> Import | None:
    summary = row.summary or {}
    same = Import.objects.filter(
        scope__source__name=summary.get("source"),
        scope__target=summary.get("scope"),
        scope__scanner=summary.get("scanner"),
    )
    taken = same.filter(state__in=(Import.State.RUNNING, Import.State.DONE))
    return taken.filter(started_at__gt=row.started_at).order_by("started_at").last()


def reanalyse(row: Import, columns: ColumnMap) -> None:
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


def discard(row: Import) -> bool:
    """A person does not want it: nothing of it is left; False if it is decided already."""
    if not Import.objects.filter(pk=row.pk, state=Import.State.WAITING).delete()[0]:
        return False
    record_event("import", "discarded", on=_object(row))
    default_storage.delete(row.stored_as)
    return True


def is_anything_due(now: datetime) -> bool:
    """Cheap enough to be asked every few seconds."""
    return Import.objects.filter(due_at__lte=now).exists() and _due(now).exists()


def _object(row: Import) -> Object:
    return Object(str(row.pk), row.file_name)


def take_due(*, seconds: float = STINT) -> bool:
    """Take in what is due; False when the time was over before the work was.

    One that raises waits for a while, and the others are taken. What was raised is raised
    again at the end.
    """
    deadline = Deadline(seconds)
    left: list[Import] = []

    def take(row: Import) -> None:
        if row.size >= LARGE and row.is_at_work and row.stored_as:
            start_process(row)
            return
        _take_or_pause(row, deadline)
        if row.state == Import.State.RUNNING and row.due_at is None:
            left.append(row)

    run_each(_claims(left), take)
    return not left


def _claims(left: Sequence[Import]) -> Iterator[Import]:
    """Uploads to take, claimed one by one until there was one that time was too short for."""
    while not left and (row := _claim()) is not None:
        yield row


def _take_or_pause(row: Import, deadline: Deadline) -> None:
    try:
        _take_claimed(row, has_time=lambda: not deadline.is_over)
    except Exception:
        again = timezone.now() + _AGAIN * 4 ** (row.tries - 1)
        Import.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=again)
        raise


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
    if row.tries > MAX_TRIES:
        _refuse(row, f"Importing it failed {MAX_TRIES} times after {row.received:,} records.")
        return
    with _content(row) as chunks:
        if row.state == Import.State.CHECKING:
            _dry_run(row, chunks)
        else:
            carry_on(row, chunks, has_time=has_time, before_batch=_renew)


def _dry_run(row: Import, chunks: Iterator[bytes]) -> None:
    try:
        with spooled(chunks, limit=settings.IMPORT_MAX_BYTES) as file:
            summary = dry_run(file, _options_of(row))
        found = summary.as_json()
    except UnknownTable as table:
        found = {"columns": offered(table.columns), "is_unknown": True}
    except RefusedReport as refusal:
        _refuse(row, refusal.reason)
        return
    row.state = Import.State.WAITING
    mine = Import.objects.filter(pk=row.pk, due_at=row.due_at)
    mine.update(state=row.state, summary=found, due_at=None, tries=0)


def _options_of(row: Import) -> ImportOptions:
    return ImportOptions(
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
        due = _due(now).select_related("source").order_by("due_at").first()
        if due is None:
            return None
        tries, lease = due.tries + 1, _lease(due)
        mine = Import.objects.filter(pk=due.pk, due_at=due.due_at)
        if mine.update(due_at=lease, tries=tries):
            due.due_at, due.tries = lease, tries
            return due


def _due(now: datetime) -> QuerySet[Import]:
    """Large ones one at a time."""
    rows = Import.objects.filter(due_at__lte=now)
    leased = Import.objects.filter(due_at__gt=now, size__gte=LARGE)
    return rows.filter(size__lt=LARGE) if leased.exclude(stored_as="").exists() else rows


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


def forget_abandoned() -> None:
    """Reports that nobody decided about."""
    since = timezone.now() - DECIDE_WITHIN
    run_each(
        Import.objects.filter(state=Import.State.WAITING, started_at__lt=since).iterator(), discard
    )


def delete_stray_files() -> None:
    """Files without a row, which a process that died between the two has left."""
    now = timezone.now()
    try:
        _, names = default_storage.listdir(_FOLDER)
    except FileNotFoundError:
        return  # nothing was ever uploaded
    paths = [f"{_FOLDER}/{name}" for name in names]
    old = [path for path in paths if now - default_storage.get_modified_time(path) > STRAY_AFTER]
    known = set(Import.objects.filter(stored_as__in=old).values_list("stored_as", flat=True))
    run_each([path for path in old if path not in known], default_storage.delete)


@contextmanager
def _content(row: Import) -> Iterator[Iterator[bytes]]:
    if not row.stored_as:
        raise FileNotFoundError
    file: IO[bytes]
    with default_storage.open(row.stored_as) as file:
        yield chunks_of(file)
