"""What a report turned out to be: its format, who sent it, and what it covers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import BinaryIO

from findings.formats import registry
from findings.formats.normalised import Normalised, Rejected
from findings.formats.registry import Format
from findings.formats.shapes.column_map import offered
from findings.formats.shapes.generic_columns import ColumnMap
from findings.formats.streams.csv_stream import ends_in_short_row
from findings.formats.streams.encoding import to_utf8
from findings.formats.values.identity import RECIPE_VERSION, fingerprint
from findings.imports.unscanned import unscanned_rows, why_incomplete
from findings.models import Import, Scope, Source

_FEW = 100  # bytes
_NOTHING = (b"[]", b"null", b'{"results":[],"errors":[]}', b'{"errors":[],"results":[]}')
MAX_TARGET = 200  # column width


@dataclass(frozen=True)
class RecognisedReport:
    file: BinaryIO
    size: int  # bytes
    format: Format
    source: str  # the name of the source
    scanner: str
    target: str  # "": the report does not say, nor did its sender
    is_named: bool = False  # the target is its sender's word
    is_anonymous: bool = False  # `[]` or `null`, of which nobody said whose it is
    is_empty: bool = False  # no byte: whose it is, its sender said
    encoding: str = ""  # that it was in, if not UTF-8

    def outcomes(self, *, latest: datetime) -> Iterator[Normalised | Rejected]:
        """What the report has, in its order.

        A target that the sender named is part of what its findings are: most scanners write
        paths that begin at the repository, and two repositories have a `Dockerfile` each.
        """
        if self.is_empty:
            return
        for outcome in self.format.read(self.file, latest=latest):
            if self.is_named and isinstance(outcome, Normalised):
                former = outcome.former_fingerprints
                yield outcome._replace(
                    fingerprint=fingerprint(self.target, outcome.fingerprint),
                    former_fingerprints=tuple(fingerprint(self.target, each) for each in former),
                )
            else:
                yield outcome

    @property
    def notes(self) -> list[str]:
        """How the file was read, where it was not as it should be."""
        notes = [f"The file was in {self.encoding} and was read so."] if self.encoding else []
        return notes + [_SHORT] * self.may_be_cut + _about_columns(self.unread_columns)

    @property
    def is_partial(self) -> bool:
        """It closes nothing, whatever its sender says."""
        return bool(why_incomplete(self.unscanned))

    @cached_property
    def columns(self) -> list[str]:
        """Those of a table of somebody's own, which a map may name."""
        return [] if self.is_empty else offered(registry.columns_of(self.format, self.file))

    @cached_property
    def unread_columns(self) -> list[str]:
        """Those of them that nothing is taken from."""
        return [] if self.is_empty else offered(registry.unread_columns_of(self.format, self.file))

    @cached_property
    def may_be_cut(self) -> bool:
        return ends_in_short_row(self.file)

    @cached_property
    def unscanned(self) -> list[dict[str, str]]:
        every = () if self.is_empty else registry.unscanned(self.format, self.file)
        return unscanned_rows(every)


_SHORT = "The last row of the table is short and has no line end: the file may be cut off."
_NAMED_COLUMNS = 20


def _about_columns(unread: list[str]) -> list[str]:
    if not unread:
        return []
    more = len(unread) - _NAMED_COLUMNS
    beside = f" and {more} more" if more > 0 else ""
    return [f"Columns not read: {', '.join(unread[:_NAMED_COLUMNS])}{beside}."]


def recognised(
    file: BinaryIO, *, source: str, target: str, name: str, columns: ColumnMap
) -> RecognisedReport:
    """The report in the file, with what its sender said of it; "" is nothing.

    RefusedReport for one that does not go in. Nothing is written.
    """
    if not file.seek(0, 2) and name and short(target):
        return _empty(file, source=source, target=target, name=name)
    encoding = to_utf8(file)
    size = file.seek(0, 2)
    known = registry.recognise(file, name=name, columns=columns)
    scanner = known.scanner(file).lower() or known.NAME
    return RecognisedReport(
        file,
        size,
        known,
        source=source_name(source or scanner),
        scanner=printable(scanner)[:100],
        target=short(target or registry.target_of(known, file)),
        is_named=bool(short(target)),
        is_anonymous=not name and _is_nothing(file, size),
        encoding=encoding,
    )


def _empty(file: BinaryIO, *, source: str, target: str, name: str) -> RecognisedReport:
    """Some scanners write nothing at all when they find nothing: with format and scope named that
    is a report without findings."""
    known = registry.by_name(name)
    return RecognisedReport(
        file,
        0,
        known,
        source=source_name(source or known.NAME),
        scanner=known.NAME,
        target=short(target),
        is_named=True,
        is_empty=True,
    )


def scope_of(report: RecognisedReport, source: Source | None) -> Scope:
    """What the report covers; not stored yet where nothing has come of it before.

    Several scanners write `[]` when they find nothing. It belongs to the scanner of the scope if
    there is but one: otherwise the last finding that is fixed would never close.
    """
    scopes = Scope.objects.filter(source=source, target=report.target)
    known = list(scopes[:2]) if report.is_anonymous else []
    if report.is_empty:
        reported = Import.objects.filter(format=report.format.NAME, scope__in=scopes)
        known = list(scopes.filter(pk__in=reported.values("scope"))[:2])
    if len(known) == 1:
        return known[0]
    return scopes.filter(scanner=report.scanner).first() or _new_scope(report, source)


def _new_scope(report: RecognisedReport, source: Source | None) -> Scope:
    """As old as the scope that its reports had before the format named what it scanned."""
    target = None if report.is_named else registry.former_target_of(report.format, report.file)
    former = Scope.objects.filter(source=source, target=short(target or ""))
    known = former.filter(scanner=report.scanner).first() if target is not None else None
    return Scope(
        source=source,
        target=report.target,
        scanner=report.scanner,
        recipe_version=known.recipe_version if known else RECIPE_VERSION,
    )


def _is_nothing(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    return size < _FEW and b"".join(file.read().split()) in _NOTHING


def source_name(name: str) -> str:
    return " ".join(printable(name).split())[:100] or "report"


def short(target: str) -> str:
    """The target in the width of its column; two long ones stay two."""
    words = printable(" ".join(target.split()))
    if len(words) <= MAX_TARGET:
        return words
    digest = blake2b(words.encode(), digest_size=8).hexdigest()
    return f"{words[: MAX_TARGET - len(digest) - 1]}…{digest}"


def printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))
