"""The one report inside a zip archive; whatever else an archive may be is refused.

Nothing is written under a name from the archive, and nothing is unpacked further than allowed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from findings.formats.stream import RefusedReport

START: Final = b"PK"
_END: Final = b"PK\x05\x06"  # of the archive: 22 bytes, then a comment of at most 64 kB
_END_LENGTH: Final = 22
_END_64: Final = b"PK\x06\x07"  # twenty bytes before it in archives over 4 GB
_MAX_COMMENT: Final = 65_535
_MAX_DIRECTORY: Final = 64 * 1024  # bytes: some hundred files; a report is one
_IS_ENCRYPTED: Final = 0x1
_METHODS: Final = frozenset({ZIP_STORED, ZIP_DEFLATED})  # LZMA asks for memory as it likes
_LINK: Final = 0o120000
_STEP: Final = 256 * 1024
_BROKEN: Final = "The file begins as a zip archive but cannot be unpacked."


def unzipped(file: IO[bytes]) -> Iterator[bytes]:
    """The content of the archive's only file, in steps. RefusedReport for any other archive."""
    _check_directory(file)
    try:
        with ZipFile(file) as archive, archive.open(_only_file(archive)) as report:
            yield from _steps(report)
    except (BadZipFile, EOFError, zlib.error, OSError, ValueError, NotImplementedError):
        raise RefusedReport(_BROKEN) from None


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
    if only.flag_bits & _IS_ENCRYPTED:
        raise RefusedReport("The zip archive is encrypted.")
    if only.compress_type not in _METHODS:
        raise RefusedReport("The zip archive is packed in a way that is not read; use deflate.")
    path = PurePosixPath(only.orig_filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or _is_link(only):
        raise RefusedReport("The zip archive holds a path that leads out of it.")
    return only


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
    if int.from_bytes(tail[at + 12 : at + 16], "little") > _MAX_DIRECTORY:
        raise RefusedReport("The zip archive holds too many files; send one report at a time.")
    file.seek(0)
