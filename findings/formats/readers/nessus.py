"""Nessus: the XML of `.nessus` files (version 2) and CSV. Documentation: docs/nessus.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element

from findings.facts import Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.hosts import (
    FoundOnHost,
    HostFinding,
    read_host_findings,
    unscanned_hosts,
)
from findings.formats.streams import csv_stream, xml_stream
from findings.formats.streams.records import Outline, begins_with
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in, cwes_in
from findings.formats.values.fields import clip, moment_as, number, one_line, text, texts
from findings.formats.values.xml import values_of

NAME = "nessus"
LABEL = "Nessus"

_COLUMNS = frozenset({"plugin id", "risk", "host", "port", "name", "synopsis"})
_TENABLE = frozenset({"plugin", "plugin name", "severity", "ip address", "port", "synopsis"})
_BY_NUMBER = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_WORDS = {"none": Severity.INFO, "failed": Severity.HIGH}  # others are those of all scanners
_NOT_FAILED = frozenset({"passed", "warning", "error"})  # of a compliance check
_NO_LOGIN = frozenset(("21745", "24786", "26917", "104410"))  # plugins: local checks were not run
_CHECK = re.compile(r'"?(.{1,1000}?)"?\s*:\s*\[FAILED\]')  # its name in the description of a row


def recognises(outline: Outline) -> bool:
    if outline.syntax == "xml":
        return outline.root_tag == "NessusClientData_v2"
    columns = {each.lower() for each in outline.columns}
    return columns >= _COLUMNS or columns >= _TENABLE


def scanner(_report: BinaryIO) -> str:
    return "Nessus"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    yield from read_host_findings(_items(report, latest), latest=latest)


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    found = _items(report, _EVER)
    yield from unscanned_hosts(each for each in found if _admits(each.finding))


def _admits(finding: HostFinding | None) -> bool:
    return finding is not None and finding.rule in _NO_LOGIN


def _items(report: BinaryIO, latest: datetime) -> Iterator[FoundOnHost]:
    if not begins_with(report, b"<"):
        for row in csv_stream.rows(report):
            cells = {name.lower(): cell for name, cell in row.cells.items()}
            yield FoundOnHost(row.pointer, _of_row(cells, latest))
        return
    properties: dict[str, str] = {}
    host: Element | None = None
    patterns = ("ReportHost/HostProperties", "ReportHost/ReportItem")
    for found in xml_stream.elements(
        report, *(f"NessusClientData_v2/Report/{p}" for p in patterns)
    ):
        if found.element.tag == "HostProperties":
            host = found.above[-1]
            properties = {
                tag.get("name", ""): clip((tag.text or "").strip(), 1_000) for tag in found.element
            }
            continue
        of_host = properties if host is found.above[-1] else {}
        yield FoundOnHost(found.pointer, _of_element(found.element, found.above[-1], of_host))


def _of_element(
    element: Element, host: Element, properties: Mapping[str, str]
) -> HostFinding | None:
    checks = {
        child.tag.removeprefix("compliance-"): (child.text or "").strip()
        for child in element
        if child.tag.startswith("compliance-")
    }
    if checks.get("result", "").lower() in _NOT_FAILED:
        return None
    values = values_of(element)
    description = checks.get("info", "") or text(values, "description")
    synopsis = text(values, "synopsis")
    return HostFinding(
        scanner="Nessus",
        rule=one_line(text(values, "pluginID"), 50),
        name=one_line(text(values, "pluginName"), 300),
        host=_host(host.get("name", ""), properties),
        is_web=properties.get("system-type") == "web_application",
        severity=_severity_of(text(values, "severity"), text(values, "risk_factor")),
        port=one_line(text(values, "port"), 20),
        protocol=one_line(text(values, "protocol"), 20),
        service=one_line(text(values, "svc_name"), 50).strip("?"),
        category=one_line(text(values, "pluginFamily"), 100),
        address=one_line(properties.get("host-ip", ""), 100),
        system=one_line(properties.get("operating-system", ""), 200),
        description=description or synopsis,
        risk=synopsis if description else "",
        output=checks.get("actual-value", "") or text(values, "plugin_output"),
        solution=_solution(checks.get("solution", "") or text(values, "solution")),
        cves=cves_in(texts(values, "cve")),
        cwes=cwes_in([*(f"CWE-{each}" for each in texts(values, "cwe")), *texts(values, "xref")]),
        score=_first_number(values, _SCORES),
        vector=_first_text(values, _VECTORS),
        epss=number(values, "epss_score"),
        is_exploited=bool(text(values, "cisa-known-exploited")),
        urls=" ".join(texts(values, "see_also")).split(),
        check=one_line(checks.get("check-name", ""), 250),
    )


def _of_row(cells: Mapping[str, str], latest: datetime) -> HostFinding | None:
    values = dict(cells)
    risk = text(values, "risk") or text(values, "severity")
    if risk.lower() in _NOT_FAILED:
        return None
    description, synopsis = text(values, "description"), text(values, "synopsis")
    return HostFinding(
        scanner="Nessus",
        rule=one_line(text(values, "plugin id") or text(values, "plugin"), 50),
        name=one_line(text(values, "name") or text(values, "plugin name"), 300),
        host=_row_host(values),
        is_web=text(values, "protocol").lower() in ("http", "https"),
        severity=_severity_of(risk),
        port=one_line(text(values, "port"), 20),
        protocol=one_line(text(values, "protocol").lower(), 20),
        category=one_line(text(values, "plugin family") or text(values, "family"), 100),
        address=one_line(text(values, "ip address"), 100),
        description=description or synopsis,
        risk=synopsis if description else "",
        output=text(values, "plugin output") or text(values, "plugin text"),
        solution=_solution(text(values, "solution") or text(values, "steps to remediate")),
        cves=cves_in([text(values, "cve")]),
        cwes=cwes_in([text(values, "cross references") + " " + text(values, "xref")]),
        score=_first_number(values, _SCORE_COLUMNS),
        vector=_first_text(values, _VECTOR_COLUMNS),
        epss=number(values, "epss score"),
        urls=text(values, "see also").split(),
        check=_check_of(risk, description),
        first_seen_at=moment_as(text(values, "first discovered"), _DISCOVERED, latest=latest),
    )


_EVER = datetime.max.replace(tzinfo=UTC)  # times are not asked for
_DISCOVERED = "%b %d, %Y %H:%M:%S UTC"
_SCORES = ("cvss4_base_score", "cvss3_base_score", "cvss_base_score", "cvssv3", "cvss")
_VECTORS = ("cvss4_vector", "cvss3_vector", "cvss_vector")
_SCORE_COLUMNS = (
    "cvss v4.0 base score", "cvss v3.0 base score", "cvss v3 base score", "cvss v2.0 base score",
    "cvss v2 base score", "cvssv3", "cvss",
)  # fmt: skip
_VECTOR_COLUMNS = ("cvss v4.0 vector", "cvss v3.0 vector", "cvss v3 vector", "cvss v2 vector")


def _solution(words: str) -> str:
    return "" if words.lower() == "n/a" else words


def _first_number(values: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    found = (number(values, name) for name in names)
    return next((each for each in found if each), None)


def _first_text(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return one_line(next(filter(None, (text(values, name) for name in names)), ""), 300)


def _host(name: str, properties: Mapping[str, str]) -> str:
    """What Nessus was told to scan; of an agent, which was told nothing, the host's own name."""
    return one_line(name or properties.get("host-fqdn") or properties.get("host-ip", ""), 300) or (
        "host"
    )


def _row_host(values: Mapping[str, Any]) -> str:
    names = ("host", "dns name", "ip address", "netbios name")  # of a group of hosts, the last
    return one_line(next(filter(None, (text(values, name) for name in names)), "host"), 300)


def _severity_of(*given: str) -> Severity:
    """The first that names one. A number (0 to 4, info to critical) is what the settings of a scan
    may have changed and goes before the plugin's risk factor; some tables have it for the word."""
    for word in given:
        if len(word) == 1 and word in "01234":
            return _BY_NUMBER[int(word)]
        if known := _WORDS.get(word.lower()) or severities.from_word(word):
            return known
    return Severity.UNKNOWN


def _check_of(risk: str, description: str) -> str:
    """The compliance check that a row is about; of a plugin that is none, nothing."""
    found = _CHECK.match(description) if risk.lower() == "failed" else None
    return one_line(found[1], 250) if found else ""
