"""JSON as ijson's events: sound or refused, and never more than one value in memory.

ijson's yajl backend checks syntax and UTF-8 as it goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

import ijson

from findings.formats.outlines import NOT_UTF8, RefusedReport

CLOSES: Final = frozenset({"end_map", "end_array"})
OPENS: Final = frozenset({"start_map", "start_array"})
_CUT: Final = "The file ends in the middle of its JSON: it was cut off."
_CUT_TOKEN: Final = re.compile(
    rb"(?:[\s:,\[](?:-|t|tr|tru|f|fa|fal|fals|n|nu|nul)|\d\.|\d[eE][+-]?|\\(?:u[0-9a-fA-F]{0,3})?)\Z"
)
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
    report.seek(0)
    report.seek(3 if report.read(3) == _UTF8_BOM else 0)
    try:
        # use_float: numbers are read by yajl. Otherwise ijson hands them to Python, whose refusal
        # of one with over 4,300 digits crashes the interpreter in ijson 3.6.
        yield from ijson.basic_parse(report, use_float=True, multiple_values=several)
    except ijson.JSONError as error:
        raise RefusedReport(_CUT if _ends_in_a_token(report) else _why(error)) from None
    except UnicodeDecodeError:  # what yajl lets pass and Python does not, as an overlong form
        raise RefusedReport(NOT_UTF8) from None


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


def _why(error: ijson.JSONError) -> str:
    """A sentence without the excerpt that yajl adds: it may hold a secret."""
    message = error.args[0] if error.args else ""
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message)
    if "premature EOF" in text:
        return _CUT
    if "overflow" in text:
        return "The JSON holds a number beyond 64 bits."
    if "UTF8" in text:
        return NOT_UTF8
    return "The file is not JSON."
