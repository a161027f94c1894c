"""Taking one report file in: spool, recognise, read, record batch by batch, keep the account.

The whole file is checked before its first finding is stored, so a refused file leaves nothing
but its row. Each batch is its own transaction: an import that dies halfway keeps what it recorded,
its row stays `running`, and sending the file again completes it (findings are known by their
fingerprints). One transaction around all would hold SQLite's only write lock for minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from findings.formats import registry
from findings.formats.normalised import Normalised, Rejected
from findings.formats.stream import RefusedReport
from findings.intake import receive
from findings.models import Import, Source
from findings.spool import spooled

BATCH = 1_000  # findings a statement: enough to make statements cheap, little enough to hold
CLOCK_SKEW = timedelta(days=1)  # how far ahead of ours the clock of a source may be
MAX_ERRORS = 100  # kept and answered; further ones are only counted
_ACCOUNT = ("received", "new", "seen_again", "reopened", "rejected", "errors")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What came with a file."""

    source: str = ""  # default: the scanner that the report names
    format_name: str = ""  # default: the format that is recognised
    file_name: str = ""
    by: str = ""  # the person or the key


def import_report(chunks: Iterable[bytes], sent: Sent) -> Import:
    """Record the findings of a report, given in chunks, plain or gzipped.

    Raises RefusedReport, with the refusal kept as an Import, if the file does not go in. Single
    records that do not are the `errors` of the Import, in the API's words.
    """
    row = Import(file_name=printable(sent.file_name)[-255:], started_by=sent.by[:120])
    try:
        with spooled(chunks, limit=settings.IMPORT_MAX_BYTES) as report:
            outcomes = _recognised(report, row, source=sent.source, format_name=sent.format_name)
            row.save(force_insert=True)
            _record_all(outcomes, row)
    except RefusedReport as refusal:
        refuse(row, refusal.reason)
        row.save(force_insert=True)
        raise
    return row


def carry_on(row: Import, chunks: Iterable[bytes], *, has_time: Callable[[], bool]) -> None:
    """Go on with a kept report where it was left, until it is done or there is no time.

    The row is stored after each batch; one that is refused has been, too.
    """
    try:
        with spooled(chunks, limit=settings.IMPORT_MAX_BYTES) as report:
            source = row.source.name if row.source else ""
            outcomes = _recognised(report, row, source=source, format_name=row.format)
            row.save(update_fields=("source", "format"))
            _record_all(islice(outcomes, row.received, None), row, has_time=has_time)
    except RefusedReport as refusal:
        refuse(row, refusal.reason)
        row.save(update_fields=("state", "reason", "finished_at"))


def refuse(row: Import, reason: str) -> None:
    row.state = Import.State.REFUSED
    row.reason = reason
    row.finished_at = timezone.now()


def source_called(name: str) -> Source:
    return Source.objects.get_or_create(name=_source_name(name))[0]


def _recognised(
    report: BinaryIO, row: Import, *, source: str, format_name: str
) -> Iterator[Normalised | Rejected]:
    """What the report has; its source and format are noted in the row."""
    reader = registry.recognise(report, name=format_name)
    row.source = source_called(source or reader.scanner(report).lower() or reader.NAME)
    row.format = reader.NAME
    return reader.read(report, latest=row.started_at + CLOCK_SKEW)


def _source_name(name: str) -> str:
    return " ".join(printable(name).split())[:100] or "report"


def printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))


def _record_all(
    outcomes: Iterator[Normalised | Rejected],
    row: Import,
    *,
    has_time: Callable[[], bool] = lambda: True,
) -> None:
    while batch := list(islice(outcomes, BATCH)):
        _record(batch, row)
        if not has_time():
            return
    row.state = Import.State.DONE
    row.finished_at = timezone.now()
    row.save(update_fields=("state", "finished_at"))


@transaction.atomic
def _record(batch: Sequence[Normalised | Rejected], row: Import) -> None:
    """The findings and their account in one: a batch is never counted twice."""
    received = receive(batch, source_name=str(row.source))
    row.received += received.received
    row.new += received.new
    row.seen_again += received.seen_again
    row.reopened += received.reopened
    row.rejected += received.rejected
    rejected = [each for each in batch if isinstance(each, Rejected)]
    row.errors += map(_as_error, rejected[: MAX_ERRORS - len(row.errors)])
    row.save(update_fields=_ACCOUNT)


def _as_error(rejected: Rejected) -> dict[str, Any]:
    return {
        "status": "400",
        "title": rejected.title,
        "detail": rejected.detail,
        "source": {"pointer": rejected.pointer},
    }
