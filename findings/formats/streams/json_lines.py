"""JSON documents one after another: one a line (JSON lines), or several lines each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from findings.formats.streams.json_events import Record, build, events
from findings.formats.streams.records import records


def documents(report: BinaryIO) -> Iterator[Record]:
    """Each document of the file, one in memory at a time; its path is (index of the document,).

    A file with a single document gives that one.
    """
    following = events(report, several=True)
    for position, (event, value) in enumerate(following):
        yield Record((position,), build(event, value, following))


def listed(report: BinaryIO) -> Iterator[Record]:
    """The elements of a list, or the documents of JSON lines: several scanners write either."""
    kind = next((event for event, _ in events(report, several=True)), "")
    yield from records(report, "/*") if kind == "start_array" else documents(report)
