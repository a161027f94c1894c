"""What a report turned out to be: its format, who sent it, and what it covers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b
from typing import BinaryIO, NamedTuple

from findings.formats import registry
from findings.formats.generic_columns import ColumnMap
from findings.formats.identity import fingerprint
from findings.formats.normalised import Normalised, Rejected
from findings.formats.registry import Format
from findings.models import Scope, Source

_FEW = 100  # bytes
MAX_TARGET = 200  # column width


class Report(NamedTuple):
    file: BinaryIO
    size: int  # bytes
    format: Format
    source: str  # the name of the source
    scanner: str
    target: str  # "": the report does not say, nor did its sender
    is_named: bool = False  # the target is its sender's word
    is_partial: bool = False  # by its nature it says nothing about what it lacks
    is_anonymous: bool = False  # `[]` or `null`, of which nobody said whose it is

    def outcomes(self, *, latest: datetime) -> Iterator[Normalised | Rejected]:
        """What the report has, in its order.

        A target that the sender named is part of what its findings are: most scanners write
        paths that begin at the repository, and two repositories have a `Dockerfile` each.
        """
        for outcome in self.format.read(self.file, latest=latest):
            if self.is_named and isinstance(outcome, Normalised):
                yield outcome._replace(fingerprint=fingerprint(self.target, outcome.fingerprint))
            else:
                yield outcome


def recognised(
    file: BinaryIO, *, source: str, target: str, name: str, columns: ColumnMap
) -> Report:
    """The report in the file, with what its sender said of it; "" is nothing.

    RefusedReport for one that does not go in. Nothing is written.
    """
    size = file.seek(0, 2)
    known = registry.recognise(file, name=name, columns=columns)
    scanner = known.scanner(file).lower() or known.NAME
    return Report(
        file,
        size,
        known,
        source=source_name(source or scanner),
        scanner=printable(scanner)[:100],
        target=short(target or registry.target_of(known, file)),
        is_named=bool(short(target)),
        is_partial=not registry.covers_its_scope(known, file),
        is_anonymous=not name and _is_nothing(file, size),
    )


def scope_of(report: Report, source: Source | None) -> Scope:
    """What the report covers; not stored yet where nothing has come of it before.

    Several scanners write `[]` when they find nothing. It belongs to the scanner of the scope if
    there is but one: otherwise the last finding that is fixed would never close.
    """
    scopes = Scope.objects.filter(source=source, target=report.target)
    known = list(scopes[:2]) if report.is_anonymous else []
    if len(known) == 1:
        return known[0]
    new = Scope(source=source, target=report.target, scanner=report.scanner)
    return scopes.filter(scanner=report.scanner).first() or new


def _is_nothing(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    return size < _FEW and b"".join(file.read().split()) in (b"[]", b"null")


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
