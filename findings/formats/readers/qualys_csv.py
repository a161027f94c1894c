"""Qualys as CSV: under some lines about the report, a row for each detection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any, BinaryIO, Final

from findings.formats.normalised import Unscanned
from findings.formats.readers.qualys_detections import Detection
from findings.formats.streams import csv_stream
from findings.formats.values.fields import one_line

_HEADERS: Final = (
    frozenset({"ip", "qid", "title", "severity", "ip status"}),  # of scans and host reports
    frozenset({"ip", "qid", "vuln title", "severity"}),  # of PCI
    frozenset({"qid", "title", "severity", "asset id", "asset name"}),  # of VMDR
)
_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "qid": ("qid",),
    "title": ("title", "vuln title"),
    "severity": ("severity",),
    "number": ("q_severity",),
    "type": ("type", "type detected"),
    "status": ("vuln status", "status"),
    "ticket": ("ticket state",),
    "ignored": ("ignored",),
    "disabled": ("disabled",),
    "false positive": ("false positive status",),
    "ip": ("ip", "asset ipv4", "asset ipv6"),
    "dns": ("dns", "hostname", "asset name"),
    "netbios": ("netbios",),
    "tracked by": ("tracking method",),
    "network": ("network",),
    "asset": ("asset id",),
    "os": ("os", "operating system"),
    "port": ("port",),
    "protocol": ("protocol",),
    "fqdn": ("fqdn",),
    "instance": ("instance",),
    "category": ("category",),
    "threat": ("threat", "cve-description"),
    "impact": ("impact",),
    "solution": ("solution",),
    "result": ("results", "result"),
    "cves": ("cve id", "cveid", "cve"),
    "cve": ("cve",),  # a row for each
    "cvss3.1": ("cvss3.1 base", "cvssv3.1 base (nvd)"),
    "cvss3": ("cvss3 base",),
    "cvss2": ("cvss base", "cvss_base", "cvssv2 base (nvd)"),
    "first found": ("first detected",),
}
_SCANNED: Final = "host scanned"
_DONE: Final = frozenset({"", "finished"})


def is_header(row: Sequence[str]) -> bool:
    names = {cell.strip().lower() for cell in row}
    return any(names >= each for each in _HEADERS)


def target(report: BinaryIO) -> str:
    about = _about(report)
    return one_line(about.get("asset groups", "") or about.get("ips", ""), 1_000)


def detections(report: BinaryIO) -> Iterator[tuple[str, Detection]]:
    for row in csv_stream.rows(report, is_header=is_header):
        cells = _by_name(row.cells)
        if any(cells.get(name) for name in ("qid", "title", "vuln title")):
            yield row.pointer, _detection(cells)


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """A scan that did not finish, and under its table the hosts that did not answer."""
    status = _about(report).get("status", "")
    if status.lower() not in _DONE:
        yield Unscanned(reason=f"the scan is {status.lower()}")
    for row in csv_stream.rows(report, is_header=is_header):
        cells = _by_name(row.cells)
        said = cells.get("ip status", "")
        if said and not cells.get("qid") and not said.lower().startswith(_SCANNED):
            yield Unscanned(target=cells.get("ip", ""), reason=said, kind="host")


def _by_name(cells: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): cell.strip() for name, cell in cells.items()}


def _detection(cells: Mapping[str, str]) -> dict[str, Any]:
    found = (
        (name, next(filter(None, (cells.get(column) for column in columns)), ""))
        for name, columns in _COLUMNS.items()
    )
    # VMDR tracks assets by their names, and lists every address of one.
    return {"tracked by": "asset" if "asset id" in cells else ""} | {k: v for k, v in found if v}


def _about(report: BinaryIO) -> dict[str, str]:
    """What the lines above the table say of it: a row of names, and under it one of values."""
    lines = list(takewhile(lambda row: not is_header(row), csv_stream.first_rows(report)))
    about: dict[str, str] = {}
    for names, values in pairwise(lines):
        about |= {
            name.strip().lower(): value.strip() for name, value in zip(names, values, strict=False)
        }
    return about
