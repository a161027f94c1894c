"""Files of the archive: gzip, one JSON object in a line, the first of which says what it is."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from findings.archive.documents import VERSION

FORMAT = "findings-automation archive"
MAX_LINE = 64 * 1024 * 1024
_encoder = msgspec.json.Encoder()


class BadArchive(Exception):
    """Not a file of ours, or not a whole one; `str(error)` is a sentence."""


def write(folder: Path, stem: str, documents: Sequence[dict[str, Any]]) -> Path:
    """Once this returns, the file is on the disk as a whole, under its name.

    The name tells the content, so the same documents once more make the same file, and others
    never take its place.
    """
    head = {"format": FORMAT, "version": VERSION, "findings": len(documents)}
    content = b"".join(_encoder.encode(line) + b"\n" for line in (head, *documents))
    name = f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.jsonl.gz"
    folder.mkdir(parents=True, exist_ok=True)
    path, unfinished = folder / name, folder / f".{name}.{os.getpid()}"
    try:
        with unfinished.open("wb") as raw:
            raw.write(gzip.compress(content, compresslevel=6, mtime=0))
            raw.flush()
            os.fsync(raw.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync_folder(folder)
    return path


def _sync_folder(folder: Path) -> None:
    """The name is on the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Its findings. Raises BadArchive."""
    found = expected = 0
    try:
        with gzip.open(path, "rb") as file:
            expected = _expected(path, file.readline(MAX_LINE))
            while line := file.readline(MAX_LINE):
                yield _object(path, line)
                found += 1
    except (OSError, EOFError, zlib.error) as error:
        raise BadArchive(f"{path} cannot be read: {error}.") from error
    if found != expected:
        raise BadArchive(f"{path} has {found:,} findings and not {expected:,}.")


def _expected(path: Path, line: bytes) -> int:
    head = _object(path, line)
    if head.get("format") != FORMAT or not isinstance(head.get("findings"), int):
        raise BadArchive(f"{path} is not an archive of findings.")
    if head.get("version") != VERSION:
        raise BadArchive(f"{path} is of version {head.get('version')}, and this reads {VERSION}.")
    return int(head["findings"])


def _object(path: Path, line: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise BadArchive(f"{path} has a line that is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise BadArchive(f"{path} has a line that is not an object.")
    return value
