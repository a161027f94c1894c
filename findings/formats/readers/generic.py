"""Findings as a table or list of your own: CSV with a header, `{"findings": […]}`, or a list.

Columns go by what they are called, or by a column map of the sender's; docs/generic.md has both.
What is marked as false positive, duplicate, out of scope, accepted, mitigated or not active, or has
a status that says so, is kept out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO, ClassVar, NamedTuple

from findings.formats.normalised import Normalised, Rejected, normalise_mapped
from findings.formats.readers.generic_findings import GenericFinding
from findings.formats.shapes.column_map import check_columns, is_value
from findings.formats.shapes.generic_columns import (
    NO_MAP,
    ColumnMap,
    Columns,
    called,
    field_of,
    has_place,
    unread,
)
from findings.formats.streams import csv_stream
from findings.formats.streams.records import Outline, begins_with, records
from findings.formats.values.fields import one_line, text
from findings.formats.values.identity import Occurrences

NAME = "generic"
LABEL = "generic CSV or JSON"

_ASKED = frozenset({"title", "severity"})
_OURS = frozenset({"finding_type", "resource_id"})  # together: our own JSON
_BESIDE = frozenset(
    ("findings", "name", "type", "version", "description", "static_tool", "dynamic_tool", "soc")
)  # of a report without findings


_LOOKED_AT = 100  # objects of a list, to know its columns


def recognises(outline: Outline) -> bool:
    if outline.syntax == "csv":
        return {field_of(column) for column in outline.columns} >= _ASKED
    if outline.root not in ("object", "list"):
        return False
    first = outline.first.get("findings" if outline.root == "object" else "", frozenset())
    if first >= _ASKED:
        return not first >= _OURS
    is_empty = outline.first.get("findings") == frozenset() and len(outline.keys) > 1
    return is_empty and outline.keys <= _BESIDE


def is_table(outline: Outline) -> bool:
    """Whether it could be one, whatever its columns are called."""
    if outline.syntax == "csv":
        return True
    return "findings" in outline.first if outline.root == "object" else outline.root == "list"


def columns(report: BinaryIO) -> tuple[str, ...]:
    """The names of the columns, each once; of a list those that its first objects have."""
    if _is_json(report):
        first = islice(_records(report), _LOOKED_AT)
        return tuple(dict.fromkeys(name for found in first for name in found.cells or ()))
    return tuple(dict.fromkeys(filter(None, csv_stream.header(report))))


def says_where(report: BinaryIO) -> bool:
    """Whether it says where its findings are: in a column, or as the name of it all."""
    names = columns(report)
    return not names or has_place(names) or bool(_name(report))


def unread_columns(report: BinaryIO) -> list[str]:
    return unread(columns(report), NO_MAP)


def with_columns(mapped: ColumnMap, report: BinaryIO) -> Mapped:
    """The format for a table by this map; WrongColumns if that does not fit it."""
    known = _known(mapped, report)
    if known:  # else a list of nothing
        check_columns(mapped, known)
    return Mapped({field: called(column, known) or column for field, column in mapped.items()})


def scanner(report: BinaryIO) -> str:
    """The `name` of the report, else what found its first finding."""
    return Mapped(NO_MAP).scanner(report)


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    return Mapped(NO_MAP).read(report, latest=latest)


@dataclass(frozen=True)
class Mapped:
    """The format, with a column map of the sender's."""

    mapped: ColumnMap
    NAME: ClassVar[str] = NAME
    LABEL: ClassVar[str] = LABEL

    def recognises(self, outline: Outline) -> bool:
        return is_table(outline)

    def columns(self, report: BinaryIO) -> tuple[str, ...]:
        return columns(report)

    def unread_columns(self, report: BinaryIO) -> list[str]:
        return unread(columns(report), self.mapped)

    def scanner(self, report: BinaryIO) -> str:
        name = _name(report)
        first = next((found.cells for found in _records(report) if found.cells), None)
        return name or (Columns(first, self.mapped).text("scanner") if first else "")

    def read(self, report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
        name = _name(report)
        occurrences = Occurrences()
        for position, (pointer, cells) in enumerate(_records(report)):
            if cells is None:
                yield Rejected(position, pointer, "Not an object", "A finding is an object.")
                continue
            finding = GenericFinding(Columns(cells, self.mapped), report=name, latest=latest)
            if finding.is_settled:
                continue
            if problem := finding.problem():
                column, title, detail = problem
                yield Rejected(position, f"{pointer}/{_step(column)}", title, detail)
            else:
                record = finding.record()
                if occurrences.tell_apart(record, dict(cells)):
                    yield normalise_mapped(record, position=position, at=pointer, latest=latest)


class _Found(NamedTuple):
    pointer: str
    cells: Mapping[str, Any] | None  # None: the record is no object


def _name(report: BinaryIO) -> str:
    if not begins_with(report, b"{"):
        return ""
    return next((one_line(text(found.value), 100) for found in records(report, "/name")), "")


def _is_json(report: BinaryIO) -> bool:
    return begins_with(report, b"[") or begins_with(report, b"{")


def _records(report: BinaryIO) -> Iterator[_Found]:
    if _is_json(report):
        for found in records(report, "/findings/*", "/*"):
            yield _Found(found.pointer, found.value if isinstance(found.value, dict) else None)
    else:
        for row in csv_stream.rows(report):
            yield _Found(row.pointer, row.cells)


def _known(mapped: ColumnMap, report: BinaryIO) -> list[str]:
    """The columns of the report; objects of a list are looked at until one has each of the map."""
    known = list(columns(report))
    names = {each for each in mapped.values() if each and not is_value(each)}
    lacks = {each for each in names if not called(each, known)}
    if lacks and _is_json(report):
        for found in _records(report):
            known += (later := {each for each in lacks if called(each, found.cells or ())})
            lacks -= later
            if not lacks:
                break
    return known


def _step(column: str) -> str:
    return one_line(column, 200).replace("~", "~0").replace("/", "~1")
