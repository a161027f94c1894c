"""Findings as a table or list of your own: CSV with a header, `{"findings": […]}`, or a list.

Columns go by what they are called; docs/generic.md has the map. What is marked as false positive,
duplicate, out of scope, accepted or mitigated is kept out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

from findings.formats import csv_stream
from findings.formats.generic_columns import Columns, field_of
from findings.formats.generic_findings import GenericFinding
from findings.formats.identity import Occurrences
from findings.formats.normalised import Normalised, Rejected, normalise
from findings.formats.stream import Outline, begins_with, records
from findings.formats.values import one_line, text

NAME = "generic"
LABEL = "generic CSV or JSON"

_ASKED = frozenset({"title", "severity"})
_OURS = frozenset({"finding_type", "resource_id"})  # together: our own JSON
_BESIDE = frozenset(
    ("findings", "name", "type", "version", "description", "static_tool", "dynamic_tool", "soc")
)  # of a report without findings


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


def scanner(report: BinaryIO) -> str:
    """The `name` of the report, else what found its first finding."""
    name = _name(report)
    first = next((found.columns for found in _findings(report) if found.columns), None)
    return name or (first.text("scanner") if first else "")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    name = _name(report)
    occurrences = Occurrences()
    for position, (pointer, columns) in enumerate(_findings(report)):
        if columns is None:
            yield Rejected(position, pointer, "Not an object", "A finding is an object.")
            continue
        finding = GenericFinding(columns, report=name, latest=latest)
        if problem := finding.problem():
            column, title, detail = problem
            yield Rejected(position, f"{pointer}/{_step(column)}", title, detail)
        elif not finding.is_settled:
            record = finding.record()
            record["fingerprint"] = occurrences.name(record["fingerprint"])
            yield normalise(record, position=position, at=pointer, latest=latest)


class _Found(NamedTuple):
    pointer: str
    columns: Columns | None  # None: the record is no object


def _name(report: BinaryIO) -> str:
    if not begins_with(report, b"{"):
        return ""
    return next((one_line(text(found.value), 100) for found in records(report, "/name")), "")


def _findings(report: BinaryIO) -> Iterator[_Found]:
    if begins_with(report, b"[") or begins_with(report, b"{"):
        for found in records(report, "/findings/*", "/*"):
            yield _Found(found.pointer, _columns(found.value))
    else:
        for row in csv_stream.rows(report):
            yield _Found(row.pointer, Columns(row.cells))


def _columns(value: Any) -> Columns | None:
    return Columns(value) if isinstance(value, dict) else None


def _step(column: str) -> str:
    return one_line(column, 200).replace("~", "~0").replace("/", "~1")
