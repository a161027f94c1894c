"""Taking one report file in: spool, recognise, read, record batch by batch, keep the account.

The whole file is checked before its first finding is stored, so a refused file leaves nothing
but its row. Each batch is its own transaction: an import that dies halfway keeps what it recorded,
its row stays `running`, and sending the file again completes it (findings are known by their
fingerprints). One transaction around all would hold SQLite's only write lock for minutes.

Only when all of it is recorded may it close what it lacks (`closing`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.generic_columns import ColumnMap
from findings.formats.streams.records import RefusedReport
from findings.imports import closing, undo
from findings.imports.intake import receive
from findings.imports.recognition import (
    RecognisedReport,
    printable,
    recognised,
    scope_of,
    short,
    source_name,
)
from findings.imports.spool import spooled
from findings.models import Import, Scope, Source

BATCH = 1_000  # findings a statement: enough to make statements cheap, little enough to hold
ABANDONED = timedelta(hours=6)  # no report takes that long in a request
CLOCK_SKEW = timedelta(days=1)  # how far ahead of ours the clock of a source may be
MAX_ERRORS = 100  # kept and answered; further ones are only counted
_ACCOUNT = ("received", "new", "seen_again", "reopened", "rejected", "errors", "bytes_read")
_REFUSED = ("state", "reason", "closing", "finished_at", "due_at")
_RECOGNISED = (
    "source",
    "scope",
    "format",
    "is_partial",
    "size",
    "bytes_read",
    "unscanned",
    "notes",
    "may_be_cut",
)


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What came with a file."""

    source: str = ""  # default: the scanner that the report names
    scope: str = ""  # default: what the report says it scanned
    format_name: str = ""  # default: the format that is recognised
    columns: ColumnMap = field(default_factory=dict)  # of a table
    file_name: str = ""
    is_partial: bool = False  # it closes nothing
    tags: Sequence[str] = ()  # "key:value" of every finding, which the scanner cannot know
    by: str = ""  # the person or the key

    def row(self, **values: Any) -> Import:
        """The import, not stored yet."""
        return Import(
            file_name=printable(self.file_name)[-255:],
            format=self.format_name,
            columns=dict(self.columns),
            target=short(self.scope),
            is_partial=self.is_partial,
            started_by=self.by[:120],
            **values,
        )


def import_report(chunks: Iterable[bytes], options: ImportOptions) -> Import:
    """Record the findings of a report, given in chunks, plain, gzipped or zipped.

    Raises RefusedReport, with the refusal kept as an Import, if the file does not go in. Single
    records that do not are the `errors` of the Import, in the API's words.
    """
    row = options.row()
    try:
        with spooled(chunks, limit=settings.IMPORT_MAX_BYTES) as file:
            report = recognised(
                file,
                source=options.source,
                target=row.target,
                name=options.format_name,
                columns=options.columns,
            )
            _refuse_if_nothing_goes_in(report, row)
            _note(report, row)
            row.due_at = row.started_at + ABANDONED  # the queue says so if we do not get there
            row.save(force_insert=True)
            _record_all(_tagged(_outcomes(report, row), options.tags), row, file)
            Import.objects.filter(pk=row.pk).update(due_at=None)
    except RefusedReport as refusal:
        is_stored, row.due_at = row.due_at is not None, None
        refuse(row, refusal.reason)
        row.save(update_fields=_REFUSED) if is_stored else row.save(force_insert=True)
        raise
    return row


def carry_on(
    row: Import,
    chunks: Iterable[bytes],
    *,
    has_time: Callable[[], bool],
    before_batch: Callable[[Import], None] = lambda _row: None,
) -> None:
    """Go on with a kept report where it was left, until it is done or there is no time.

    The row is stored after each batch; one that is refused has been, too. `before_batch` is
    called in the transaction of each batch and may raise to end the work there.
    """
    try:
        with spooled(chunks, limit=settings.IMPORT_MAX_BYTES) as file:
            source = row.source.name if row.source else ""
            row.size = file.seek(0, 2)
            row.save(update_fields=("size",))
            report = recognised(
                file, source=source, target=row.target, name=row.format, columns=row.columns
            )
            if not row.received:
                _refuse_if_nothing_goes_in(report, row)
            _note(report, row)
            row.save(update_fields=_RECOGNISED)
            rest = islice(_outcomes(report, row), row.received, None)
            _record_all(rest, row, file, has_time=has_time, before_batch=before_batch)
    except RefusedReport as refusal:
        refuse(row, refusal.reason)
        row.save(update_fields=("state", "reason", "closing", "finished_at", *_ACCOUNT))


def refuse(row: Import, reason: str) -> None:
    row.state = Import.State.REFUSED
    row.reason = reason
    row.closing = Import.Closing.NONE
    row.finished_at = timezone.now()


def _refuse_if_nothing_goes_in(report: RecognisedReport, row: Import) -> None:
    """Before anything is stored: read to the first record that goes in.

    The account of one of which none does is kept in the row.
    """
    rejected, errors = 0, []
    for outcome in _outcomes(report, row):
        if isinstance(outcome, Normalised):
            return
        rejected += 1
        if rejected <= MAX_ERRORS:
            errors.append(as_error(outcome))
    if rejected:
        row.received, row.rejected, row.errors = rejected, rejected, errors
        raise RefusedReport(nothing_went_in(rejected, errors[0]))


def nothing_went_in(rejected: int, first: Mapping[str, Any]) -> str:
    """The reason to refuse a report that has records, and none that is sound: it was read as what
    it is not, and would close everything that it lacks."""
    where = f"{first['source']['pointer']}: {first['detail']}".removeprefix(": ")
    if rejected == 1:
        return f"The report's only record did not go in. {where}"
    return f"None of the {rejected:,} records went in. The first one: {where}"


def source_called(name: str) -> Source:
    return Source.objects.get_or_create(name=source_name(name))[0]


def _note(report: RecognisedReport, row: Import) -> None:
    """What the report turned out to be is noted in the row."""
    row.source = source_called(report.source)
    row.scope = scope_of(report, row.source)
    if row.scope.pk is None:
        row.scope, _ = Scope.objects.get_or_create(
            source=row.source,
            target=report.target,
            scanner=report.scanner,
            defaults={"recipe_version": row.scope.recipe_version},
        )
    row.format = report.format.NAME
    row.unscanned = report.unscanned
    row.is_partial = row.is_partial or report.is_partial
    row.notes, row.may_be_cut = report.notes, report.may_be_cut
    row.size = report.size


def _outcomes(report: RecognisedReport, row: Import) -> Iterator[Normalised | Rejected]:
    return report.outcomes(latest=row.started_at + CLOCK_SKEW)


def _tagged(
    outcomes: Iterator[Normalised | Rejected], tags: Sequence[str]
) -> Iterator[Normalised | Rejected]:
    for outcome in outcomes:
        if tags and isinstance(outcome, Normalised):
            yield outcome._replace(tags=tuple(sorted({*outcome.tags, *tags})))
        else:
            yield outcome


def _record_all(
    outcomes: Iterator[Normalised | Rejected],
    row: Import,
    file: BinaryIO,
    *,
    has_time: Callable[[], bool] = lambda: True,
    before_batch: Callable[[Import], None] = lambda _row: None,
) -> None:
    if row.scope:
        undo.finish_of(row.scope)
    while batch := list(islice(outcomes, BATCH)):
        row.bytes_read = file.tell()
        _record(batch, row, before_batch)
        if not has_time():
            return
    closing.apply(row)
    row.state = Import.State.DONE
    row.bytes_read = row.size
    row.finished_at = timezone.now()
    row.save(update_fields=("state", "finished_at", "bytes_read"))


@transaction.atomic
def _record(
    batch: Sequence[Normalised | Rejected], row: Import, before_batch: Callable[[Import], None]
) -> None:
    """The findings and their account in one: a batch is never counted twice."""
    before_batch(row)
    # Never before the import began, whatever this machine's clock says: what is seen in it must
    # not look older than it, or it would be closed as missing.
    now = max(timezone.now(), row.started_at)
    received = receive(batch, source_name=str(row.source), scope=row.scope, run=row, now=now)
    row.received += received.received
    row.new += received.new
    row.seen_again += received.seen_again
    row.reopened += received.reopened
    row.rejected += received.rejected
    rejected = [each for each in batch if isinstance(each, Rejected)]
    row.errors += map(as_error, rejected[: MAX_ERRORS - len(row.errors)])
    row.save(update_fields=_ACCOUNT)


def as_error(rejected: Rejected) -> dict[str, Any]:
    return {
        "status": "400",
        "title": rejected.title,
        "detail": rejected.detail,
        "source": {"pointer": rejected.pointer},
    }
