"""Reading reports of any size: one pass tells what a file is, others pick its records.

Pure: reads from an open, seekable, binary file and holds one record at a time in memory.
`records` reads JSON; beside it are `json_lines.documents`, `xml_stream.elements` and
`csv_stream.rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from findings.formats.streams.csv_stream import csv_outline, delimiter
from findings.formats.streams.json_events import CLOSES, OPENS, Record, build, events
from findings.formats.streams.json_outline import json_outline
from findings.formats.streams.outlines import NOT_JSON, Outline, RefusedReport
from findings.formats.streams.xml_stream import xml_outline

__all__ = ["Outline", "Record", "RefusedReport", "begins_with", "outline", "records"]

_UTF8_BOM: Final = b"\xef\xbb\xbf"
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_HEAD: Final = 4_096  # bytes that tell the syntax; the longest header of a report has 1,000


def outline(report: BinaryIO) -> Outline:
    """Read the whole report once: its shape, or RefusedReport if any of it is not sound.

    Because a cut file fails here, nothing of it has been recorded when that is found out.
    """
    report.seek(0)
    head = report.read(_HEAD)
    _refuse_what_is_no_text(head)
    start = head.removeprefix(_UTF8_BOM).lstrip()
    if start.startswith(b"<"):
        return xml_outline(report)
    if not start.startswith((b"{", b"[")) and _is_table(start):
        return csv_outline(report)
    try:
        return json_outline(report)
    except RefusedReport as refused:
        if refused.reason == NOT_JSON and not start.startswith((b"{", b"[")):
            raise RefusedReport("The file is neither JSON, XML nor a table.") from None
        raise


def begins_with(report: BinaryIO, mark: bytes) -> bool:
    """Whether the text of the report begins with the mark, after outer space."""
    report.seek(0)
    return report.read(_HEAD).removeprefix(_UTF8_BOM).lstrip().startswith(mark)


def _refuse_what_is_no_text(head: bytes) -> None:
    if not head:
        raise RefusedReport("The file is empty.")
    if head.startswith(_UTF16_BOMS):
        raise RefusedReport("The file is UTF-16; save it as UTF-8.")
    if head.startswith(b"PK"):
        raise RefusedReport("The file is a zip archive; send the report itself, or gzip it.")
    if head.startswith(b"%PDF"):
        raise RefusedReport("The file is a PDF; export the report as JSON, XML or CSV.")
    if _is_page(head.removeprefix(_UTF8_BOM).lstrip().lower()):
        raise RefusedReport("The file is an HTML page; export the report as JSON, XML or CSV.")


def _is_page(start: bytes) -> bool:
    return start.startswith(b"<html") or (start.startswith(b"<") and b"<!doctype html" in start)


def _is_table(start: bytes) -> bool:
    """Whether text that is neither JSON nor XML is a table: its first line has several cells."""
    header = start.splitlines()[0] if start else b""
    return bool(delimiter(header.decode(errors="replace")))


def records(report: BinaryIO, *patterns: str) -> Iterator[Record]:
    """What lies at the patterns, in the order of the file, with its path.

    A pattern is a JSON pointer in which `*` stands for any index and `{}` for any key:
    "/runs/*/results/*", "/advisories/{}". One pattern never lies inside another.
    """
    tree = _tree(patterns)
    node: _Tree | None = tree
    path: list[str | int] = []
    above: list[_Tree | None] = []  # the nodes of the containers around
    following = events(report)
    for event, value in following:
        if event == "map_key":
            path[-1] = value
            continue
        if event in CLOSES:
            path.pop()
            node = above.pop()
            continue
        if path and isinstance(path[-1], int):
            path[-1] += 1
        here = _below(node, path[-1]) if path else node
        if here is not None and not here:
            yield Record(tuple(path), build(event, value, following))
        elif event in OPENS:
            path.append(-1 if event == "start_array" else "")
            above.append(node)
            node = here


class _Tree(dict[str | int, "_Tree"]):
    """The steps of the patterns; a leaf (empty) is where a record lies."""


_ANY_INDEX: Final = 0  # numbers, so that no key of a report is one
_ANY_KEY: Final = 1


def _below(node: _Tree | None, step: str | int) -> _Tree | None:
    if not node:
        return None
    if isinstance(step, int):
        return node.get(_ANY_INDEX)
    return node.get(step, node.get(_ANY_KEY))


def _tree(patterns: Sequence[str]) -> _Tree:
    root = _Tree()
    for pattern in patterns:
        node = root
        for step in pattern.split("/")[1:]:
            node = node.setdefault(_WILD.get(step, step), _Tree())
    return root


_WILD: Final = {"*": _ANY_INDEX, "{}": _ANY_KEY}
