"""An incoming file on local disk, seekable, unpacked, and never larger than allowed."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, Final, cast

from findings.formats.streams.records import RefusedReport
from findings.imports import archive

_IN_MEMORY: Final = 2 * 1024 * 1024
_STEP: Final = 256 * 1024  # unpacked at a time: a bomb is noticed, not swallowed
_MAX_RATIO: Final = 200  # reports pack 10 to 60 times, zlib at most 1,032 times
_RATIO_FROM: Final = 10 * 1024 * 1024  # small files may pack better than that
_GZIP: Final = b"\x1f\x8b"


class ReportTooLarge(RefusedReport):
    """The file, or what it unpacks to, is over the limit."""


@contextmanager
def spooled(chunks: Iterable[bytes], *, limit: int) -> Iterator[BinaryIO]:
    """The file made of the chunks, gzip or zip undone. RefusedReport for a broken or exploding
    one."""
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        start = _write(_ungzipped(chunks), file, limit=limit)
        if not start.startswith(archive.START):
            yield cast("BinaryIO", file)
            return
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as report:
            packed = file.seek(0, 2)
            _write(archive.unzipped(file), report, limit=min(limit, _allowed(packed)))
            yield cast("BinaryIO", report)


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_STEP):
        yield chunk


def _write(parts: Iterable[bytes], file: IO[bytes], *, limit: int) -> bytes:
    """Fill the file, and go to its start; the first bytes."""
    written = 0
    for part in parts:
        written += len(part)
        if written > limit:
            raise ReportTooLarge(f"The report is larger than {limit:,} bytes.")
        file.write(part)
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    return start


def _allowed(packed: int) -> int:
    """The most that a file of that size may unpack to."""
    return max(_RATIO_FROM, packed * _MAX_RATIO)


def _ungzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    parts = iter(chunks)
    start = b""
    for chunk in parts:
        start += chunk
        if len(start) >= len(_GZIP):
            break
    if start.startswith(_GZIP):
        yield from _Gzip().unpack(start, parts)
    else:
        yield start
        yield from parts


class _Gzip:
    """Undoes gzip, member after member, in bounded steps."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._taken = 0
        self._given = 0

    def unpack(self, start: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
        try:
            yield from self._feed(start)
            for chunk in rest:
                yield from self._feed(chunk)
        except zlib.error:
            raise RefusedReport("The file begins as gzip but cannot be unpacked.") from None
        if not self._member.eof:
            raise RefusedReport("The gzip file ends in the middle: it was cut off.")

    def _feed(self, chunk: bytes) -> Iterator[bytes]:
        self._taken += len(chunk)
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            part = self._member.decompress(chunk, _STEP)
            self._given += len(part)
            if self._given > _allowed(self._taken):
                raise ReportTooLarge(f"The gzip file unpacks to over {_MAX_RATIO} times its size.")
            yield part
            chunk = self._member.unconsumed_tail or self._member.unused_data
