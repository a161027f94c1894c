"""Text that is not UTF-8, made UTF-8: what Windows tools and shells write."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from findings.formats.streams.outlines import RefusedReport

_CHUNK: Final = 256 * 1024
_UTF16_BOMS: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARATION: Final = re.compile(r"""(\A\s*<\?xml\b[^>]*?)\s+encoding\s*=\s*(["'])([^"']*)\2""")
_LABELS: Final = {"utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp1252": "Windows-1252"}


def to_utf8(report: BinaryIO) -> str:
    """Rewrite the file in place as UTF-8; the encoding it was in, or "" where nothing was to do.

    An encoding that XML declares is left to its parser, unless it is UTF-16.
    """
    encoding, mark = _encoding_of(report)
    if encoding == "utf-8":
        return ""
    try:
        _rewrite(report, encoding, mark)
    except UnicodeDecodeError:
        raise RefusedReport(f"The file is not valid {_LABELS[encoding]}.") from None
    return _LABELS[encoding]


def _encoding_of(report: BinaryIO) -> tuple[str, int]:
    """The name for Python, and the length of the byte order mark."""
    report.seek(0)
    head = report.read(400)
    for mark, encoding in _UTF16_BOMS:
        if head.startswith(mark):
            return encoding, len(mark)
    if len(head) > 3 and not any(head[1:8:2]) and all(head[0:8:2]):
        return "utf-16-le", 0
    if len(head) > 3 and not any(head[0:8:2]) and all(head[1:8:2]):
        return "utf-16-be", 0
    is_declared = _DECLARATION.search(head.decode("latin-1"))
    if is_declared and is_declared[3].lower() not in ("utf-8", "utf8"):
        return "utf-8", 0
    return ("cp1252" if _is_cp1252(report) else "utf-8"), 0


def _is_cp1252(report: BinaryIO) -> bool:
    """Whether it is not UTF-8 and looks like Windows-1252. UTF-8 with a broken character does not:
    there most characters beyond ASCII are sound."""
    if _is_decodable(report, "utf-8"):
        return False
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    sound = broken = 0
    for chunk in _chunks(report, 0):
        if chunk.isascii():
            continue
        text = decoder.decode(chunk)
        odd = [character for character in text if not character.isascii()]
        bad = sum("\udc80" <= character <= "\udcff" for character in odd)
        broken += bad
        sound += len(odd) - bad
    broken += len(decoder.decode(b"", final=True))
    return broken > sound and _is_decodable(report, "cp1252")


def _is_decodable(report: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in _chunks(report, 0):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _rewrite(report: BinaryIO, encoding: str, mark: int) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    with TemporaryFile() as text:
        is_first = True
        for chunk in _chunks(report, mark):
            decoded = decoder.decode(chunk)
            if is_first:
                decoded, is_first = _DECLARATION.sub(r"\1", decoded, count=1), False
            # A lone half of a surrogate pair stays what it is and is found out by the readers.
            text.write(decoded.encode(errors="surrogatepass"))
        decoder.decode(b"", final=True)
        text.seek(0)
        report.seek(0)
        report.truncate()
        while chunk := text.read(_CHUNK):
            report.write(chunk)
    report.seek(0)


def _chunks(report: BinaryIO, start: int) -> Iterator[bytes]:
    report.seek(start)
    while chunk := report.read(_CHUNK):
        yield chunk
    report.seek(0)
