"""Qualys: XML and CSV of scans and of vulnerability reports. Documentation: docs/qualys.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.readers import qualys_csv, qualys_xml
from findings.formats.readers.qualys_detections import Detection, found_on_host
from findings.formats.shapes.hosts import read_host_findings, unscanned_hosts
from findings.formats.streams.records import Outline, RefusedReport, begins_with
from findings.formats.values.fields import text

NAME = "qualys"
LABEL = "Qualys"

_WITHOUT_TITLES = "HOST_LIST_VM_DETECTION_OUTPUT"
_NO_TITLES = (
    "This is Qualys's list of detections, which names vulnerabilities by number alone; "
    "send a scan or a report as XML or CSV."
)

_NO_LOGIN = "Authentication Failed"  # of Windows, Unix, Oracle, …
_EVER = datetime.max.replace(tzinfo=UTC)  # times are not asked for


def recognises(outline: Outline) -> bool:
    if outline.root_tag == _WITHOUT_TITLES:
        raise RefusedReport(_NO_TITLES)
    if outline.syntax == "xml":
        return qualys_xml.recognises(outline)
    return any(map(qualys_csv.is_header, outline.heads))


def scanner(_report: BinaryIO) -> str:
    return "Qualys"


def target(report: BinaryIO) -> str:
    """The asset groups that were scanned or reported, else the addresses."""
    return qualys_xml.target(report) if _is_xml(report) else qualys_csv.target(report)


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    on_hosts = (
        found_on_host(pointer, each, latest=latest) for pointer, each in _detections(report)
    )
    yield from read_host_findings(on_hosts, latest=latest)


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    yield from qualys_xml.unscanned(report) if _is_xml(report) else qualys_csv.unscanned(report)
    failed = (
        found_on_host(pointer, each, latest=_EVER)
        for pointer, each in _detections(report)
        if text(each, "title").endswith(_NO_LOGIN)
    )
    yield from unscanned_hosts(failed)


def _detections(report: BinaryIO) -> Iterator[tuple[str, Detection]]:
    return qualys_xml.detections(report) if _is_xml(report) else qualys_csv.detections(report)


def _is_xml(report: BinaryIO) -> bool:
    return begins_with(report, b"<")
