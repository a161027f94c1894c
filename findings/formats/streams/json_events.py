"""JSON as ijson's events: sound or refused, and never more than one value in memory.

ijson's yajl backend checks syntax and UTF-8 as it goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from math import isinf
from typing import Any, BinaryIO, Final, NamedTuple

import ijson

from findings.formats.streams.outlines import NOT_JSON, NOT_UTF8, RefusedReport

CLOSES: Final = frozenset({"end_map", "end_array"})
OPENS: Final = frozenset({"start_map", "start_array"})
_CUT: Final = "The file ends in the middle of its JSON: it was cut off."
_TOO_LARGE: Final = "The JSON holds a number that is too large to be read."
_MAX_DIGITS: Final = 1_000
_ENDLESS: Final = re.compile(rb"[0-9]{%d}" % _MAX_DIGITS)
_CUT_TOKEN: Final = re.compile(
    rb"(?:[\s:,\[](?:-|t|tr|tru|f|fa|fal|fals|n|nu|nul)|\d\.|\d[eE][+-]?|\\(?:u[0-9a-fA-F]{0,3})?)\Z"
)
_IN_NUMBERS: Final = b"0123456789+-.eE"
MAX_NUMBER: Final = 256 * 1024
MAX_TEXT: Final = 4 * 1024 * 1024
_CHUNK: Final = 256 * 1024
_UTF8_BOM: Final = b"\xef\xbb\xbf"


class Record(NamedTuple):
    path: tuple[str | int, ...]
    value: Any

    @property
    def pointer(self) -> str:
        """The JSON pointer of the record in its report."""
        return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in self.path)


def events(report: BinaryIO, *, several: bool = False) -> Iterator[tuple[str, Any]]:
    """The events of the file from its start; with `several`, of one document after another."""
    given = 0
    try:
        # use_float: numbers are read by yajl, which is fast and knows none over 64 bits.
        for event in _parsed(report, several=several, use_float=True):
            yield event
            given += 1
    except ijson.JSONError as error:
        if not _is_overflow(error):
            raise _refusal(report, error) from None
    except UnicodeDecodeError:  # what yajl lets pass and Python does not, as an overlong form
        raise RefusedReport(NOT_UTF8) from None
    else:
        return
    yield from islice(_events_with_large_numbers(report, several=several), given, None)


def _events_with_large_numbers(report: BinaryIO, *, several: bool) -> Iterator[tuple[str, Any]]:
    """As `events`, four times as slow: numbers are read by Python."""
    _refuse_endless_numbers(report)
    try:
        for event, value in _parsed(report, several=several, use_float=False):
            yield event, _as_float(value) if isinstance(value, Decimal) else value
    except ijson.JSONError as error:
        raise _refusal(report, error) from None
    except UnicodeDecodeError:
        raise RefusedReport(NOT_UTF8) from None


def _parsed(report: BinaryIO, *, several: bool, use_float: bool) -> Iterator[tuple[str, Any]]:
    report.seek(0)
    report.seek(3 if report.read(3) == _UTF8_BOM else 0)
    parsed: Iterator[tuple[str, Any]] = ijson.basic_parse(
        _Bounded(report), buf_size=_CHUNK, use_float=use_float, multiple_values=several
    )
    return parsed


def _as_float(number: Decimal) -> float:
    read = float(number)
    if isinf(read):
        raise RefusedReport(_TOO_LARGE)
    return read


def _refuse_endless_numbers(report: BinaryIO) -> None:
    """Of one with over 4,300 digits, which Python refuses, ijson 3.6 crashes the interpreter."""
    report.seek(0)
    end = b""
    while chunk := report.read(_CHUNK):
        if _ENDLESS.search(end + chunk):
            raise RefusedReport(_TOO_LARGE)
        end = chunk[-_MAX_DIGITS:]


def _refusal(report: BinaryIO, error: ijson.JSONError) -> RefusedReport:
    return RefusedReport(_CUT if _ends_in_a_token(report) else _why(error))


class _Bounded:
    """The report as it is read, without numbers and texts that never end.

    yajl looks at a token from its start again for each chunk that it spans: a number of 20 MB, or
    a text of 20 MB with escapes, took a minute. So chunks are large, and tokens not too large.
    """

    def __init__(self, report: BinaryIO) -> None:
        self._report = report
        self._digits = 0  # at the end of what was read
        self._ends_in_escape = False
        self._text = 0  # bytes since the last quote that is not escaped

    def read(self, size: int) -> bytes:
        chunk = self._report.read(size)
        rest = chunk.rstrip(_IN_NUMBERS)
        self._digits = len(chunk) - len(rest) + (0 if rest else self._digits)
        if self._digits > MAX_NUMBER:
            raise RefusedReport(f"The JSON holds a number of more than {MAX_NUMBER:,} characters.")
        escaped = self._ends_in_escape and chunk.startswith(b'"')
        unescaped = chunk[escaped:].replace(b'\\"', b"")
        self._ends_in_escape = chunk.endswith(b"\\")
        after = len(unescaped) - unescaped.rfind(b'"') - 1
        self._text = after if after < len(unescaped) else self._text + len(chunk)
        if self._text > MAX_TEXT:
            raise RefusedReport(f"The JSON holds a text of more than {MAX_TEXT:,} bytes.")
        return chunk


def build(event: str, value: Any, following: Iterator[tuple[str, Any]]) -> Any:
    """The value that begins with this event; takes its further events. Not recursive."""
    if event not in OPENS:
        return value
    root: Any = {} if event == "start_map" else []
    open_containers = [root]
    key = ""
    for inner, content in following:
        if inner in CLOSES:
            open_containers.pop()
            if not open_containers:
                break
            continue
        if inner == "map_key":
            key = content
            continue
        new: Any = {} if inner == "start_map" else [] if inner == "start_array" else content
        container = open_containers[-1]
        if isinstance(container, list):
            container.append(new)
        else:
            container[key] = new
        if inner in OPENS:
            open_containers.append(new)
    return root


def _ends_in_a_token(report: BinaryIO) -> bool:
    """Whether the error came at the end, within a number, a word or an escape: there yajl does
    not say that the file ended."""
    if report.read(1):
        return False
    report.seek(max(0, report.tell() - 8))
    return bool(_CUT_TOKEN.search(report.read()))


def _is_overflow(error: ijson.JSONError) -> bool:
    return "overflow" in str(error.args[0] if error.args else "")


def _why(error: ijson.JSONError) -> str:
    """A sentence without the excerpt that yajl adds: it may hold a secret."""
    message = error.args[0] if error.args else ""
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    if "premature EOF" in text:
        return _CUT
    if _is_overflow(error):
        return _TOO_LARGE
    if "UTF8" in text:
        return NOT_UTF8
    return NOT_JSON
