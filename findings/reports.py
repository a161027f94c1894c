"""What a report turned out to be: its format, who sent it, and what it covers."""

from __future__ import annotations

from hashlib import blake2b
from typing import BinaryIO, NamedTuple

from findings.formats import registry
from findings.formats.registry import Format

MAX_TARGET = 200  # column width


class Report(NamedTuple):
    file: BinaryIO
    size: int  # bytes
    format: Format
    source: str  # the name of the source
    scanner: str
    target: str  # "": the report does not say, nor did its sender


def recognised(file: BinaryIO, *, source: str, target: str, name: str) -> Report:
    """The report in the file, with what its sender said of it; "" is nothing.

    RefusedReport for one that does not go in. Nothing is written.
    """
    size = file.seek(0, 2)
    known = registry.recognise(file, name=name)
    scanner = known.scanner(file).lower() or known.NAME
    return Report(
        file,
        size,
        known,
        source=source_name(source or scanner),
        scanner=printable(scanner)[:100],
        target=short(target or registry.target_of(known, file)),
    )


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
