"""The one report inside a zip archive; whatever else an archive may be is refused.

An FPR of Fortify holds the code that was scanned, too: of it the results and what people said of
them are taken, as one document. Nothing is written under a name from the archive, and nothing is
unpacked further than allowed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from findings.formats.streams.records import RefusedReport

START: Final = b"PK"
_END: Final = b"PK\x05\x06"  # of the archive: 22 bytes, then a comment of at most 64 kB
_END_LENGTH: Final = 22
_END_64: Final = b"PK\x06\x07"  # twenty bytes before it in archives over 4 GB
_MAX_COMMENT: Final = 65_535
_MAX_DIRECTORY: Final = 64 * 1024  # bytes: some hundred files; a report is one
_MAX_FORTIFY: Final = 4 * 1024 * 1024  # of the files of a project; held, they take some 50 MB
_RESULTS: Final = "audit.fvdl"
_AUDIT: Final = "audit.xml"  # of Fortify, too; there is none where nobody has looked yet
_DECLARATION: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<\?xml\b[^>]{0,200}\?>")
_IS_ENCRYPTED: Final = 0x1
_METHODS: Final = frozenset({ZIP_STORED, ZIP_DEFLATED})  # LZMA asks for memory as it likes
_LINK: Final = 0o120000
_STEP: Final = 256 * 1024
_BROKEN: Final = "The file begins as a zip archive but cannot be unpacked."


def unzipped(file: IO[bytes]) -> Iterator[bytes]:
    """The report in the archive, in steps. RefusedReport for any archive that has more or none."""
    _check_directory(file)
    try:
        with ZipFile(file) as archive:
            yield from _of_fortify(archive) if _is_fortify(archive) else _only_report(archive)
    except (BadZipFile, EOFError, zlib.error, OSError, ValueError, NotImplementedError):
        raise RefusedReport(_BROKEN) from None


def _is_fortify(archive: ZipFile) -> bool:
    return _RESULTS in archive.NameToInfo


def _of_fortify(archive: ZipFile) -> Iterator[bytes]:
    yield b"<FPR>"
    for name in (_RESULTS, _AUDIT):
        if info := archive.NameToInfo.get(name):
            _check_file(info)
            with archive.open(info) as part:
                yield from _without_declaration(_steps(part))
    yield b"</FPR>"


def _without_declaration(steps: Iterable[bytes]) -> Iterator[bytes]:
    """Of XML, which may have one at its start alone."""
    for nth, step in enumerate(steps):
        yield step if nth else _DECLARATION.sub(b"", step)


def _only_report(archive: ZipFile) -> Iterator[bytes]:
    with archive.open(_only_file(archive)) as report:
        yield from _steps(report)


def _steps(report: IO[bytes]) -> Iterator[bytes]:
    first = report.read(_STEP)
    if first.startswith((START, b"\x1f\x8b")):
        raise RefusedReport("The zip archive holds another archive; send the report itself.")
    yield first
    while chunk := report.read(_STEP):
        yield chunk


def _only_file(archive: ZipFile) -> ZipInfo:
    files = [each for each in archive.infolist() if not each.is_dir() and not _is_litter(each)]
    if len(files) != 1:
        raise RefusedReport(f"The zip archive holds {len(files)} files; send one report at a time.")
    (only,) = files
    _check_file(only)
    path = PurePosixPath(only.orig_filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or _is_link(only):
        raise RefusedReport("The zip archive holds a path that leads out of it.")
    return only


def _check_file(info: ZipInfo) -> None:
    if info.flag_bits & _IS_ENCRYPTED:
        raise RefusedReport("The zip archive is encrypted.")
    if info.compress_type not in _METHODS:
        raise RefusedReport("The zip archive is packed in a way that is not read; use deflate.")


def _is_litter(info: ZipInfo) -> bool:
    """What file managers add by themselves."""
    path = PurePosixPath(info.filename)
    return path.parts[:1] == ("__MACOSX",) or path.name in (".DS_Store", "Thumbs.db")


def _is_link(info: ZipInfo) -> bool:
    return (info.external_attr >> 16) & 0o170000 == _LINK


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a directory that would fill the memory before it can be looked at."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_LENGTH - _MAX_COMMENT - 20))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_LENGTH:
        raise RefusedReport("The zip archive ends in the middle: it was cut off.")
    if tail[max(0, at - 20) :].startswith(_END_64):
        raise RefusedReport("The zip archive is of the kind for over 4 GB, which is not read.")
    length = int.from_bytes(tail[at + 12 : at + 16], "little")
    if length > _MAX_DIRECTORY and not _lists_results(file, size - len(tail) + at, length):
        raise RefusedReport("The zip archive holds too many files; send one report at a time.")
    file.seek(0)


def _lists_results(file: IO[bytes], end: int, length: int) -> bool:
    """Whether the directory, which ends there, may be that of an FPR."""
    if length > min(_MAX_FORTIFY, end):
        return False
    file.seek(end - length)
    return _RESULTS.encode() in file.read(length)
