"""Our own JSON: `{"source": "who", "scope": "of what", "findings": [finding, …]}`, or the list.

A finding has the fields of `normalised.Normalised`, as in `POST /api/v1/findings`. Identity is
the sender's `fingerprint`, else `normalised.default_fingerprint`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from findings.formats.normalised import Normalised, Rejected, normalise
from findings.formats.streams.records import Outline, records
from findings.formats.values.fields import text

NAME = "json"
LABEL = "Findings JSON"

_OURS = frozenset({"finding_type", "resource_id"})  # both required, and nobody else's pair


def recognises(outline: Outline) -> bool:
    if outline.root == "object":
        first = outline.first.get("findings")
        empty = outline.keys <= {"source", "scope", "findings"} and first == frozenset()
        return first is not None and (first >= _OURS or empty)
    return outline.first.get("", frozenset()) >= _OURS


def scanner(report: BinaryIO) -> str:
    return next((text(found.value) for found in records(report, "/source")), "")


def target(report: BinaryIO) -> str:
    return next((text(found.value) for found in records(report, "/scope")), "")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    for position, found in enumerate(records(report, "/findings/*", "/*")):
        yield normalise(found.value, position=position, at=found.pointer, latest=latest)
