"""Veracode's detailed report, XML: static, dynamic and manual flaws and vulnerable components.
Documentation: docs/veracode.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import Problem, read_problems
from findings.formats.shapes.resources import Resource
from findings.formats.shapes.web import WebFinding
from findings.formats.streams.records import Outline, Record
from findings.formats.streams.xml_stream import XmlRecord, elements
from findings.formats.values.addresses import address_of
from findings.formats.values.advisories import cves_in, cwes_in
from findings.formats.values.fields import number, one_line, text, whole
from findings.formats.values.markup import without_markup
from findings.formats.values.paths import file_of
from findings.formats.values.xml import listed, values_of

NAME = "veracode"
LABEL = "Veracode XML"

_CATEGORY = "detailedreport/severity/category"
_FLAWS = tuple(f"{_CATEGORY}/cwe/{kind}flaws/flaw" for kind in ("static", "dynamic", "manual"))
_ADVICE = f"{_CATEGORY}/recommendations"
_COMPONENT = "detailedreport/software_composition_analysis/vulnerable_components/component"
_SEVERITIES = {
    "5": Severity.CRITICAL,
    "4": Severity.HIGH,
    "3": Severity.MEDIUM,
    "2": Severity.LOW,
    "1": Severity.LOW,  # "very low"
    "0": Severity.INFO,
}
_GONE = frozenset({"fixed", "cannot reproduce", "remediated by user", "mitigated"})
_FIRST_SEEN = "first seen"


def recognises(outline: Outline) -> bool:
    return outline.syntax == "xml" and outline.root_tag == "detailedreport"


def scanner(_report: BinaryIO) -> str:
    return "Veracode"


def target(report: BinaryIO) -> str:
    """The application."""
    found = elements(report, *_FLAWS, _COMPONENT)
    return next((_application(each) for each in found), "")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    required = (("issueid", "vulnerability/cve_id"),)
    yield from read_problems(
        _records(report), _problem, *required, latest=latest, first_seen=_FIRST_SEEN
    )


def _application(found: XmlRecord) -> str:
    root = found.above[0]
    names = (root.get("app_name", ""), root.get("sandbox_name", ""))
    return one_line("/".join(filter(None, names)), 300)


def _records(report: BinaryIO) -> Iterator[Record]:
    advice, category = "", None
    for found in elements(report, *_FLAWS, _ADVICE, _COMPONENT):
        if found.element.tag == "recommendations":
            advice, category = _paragraphs(found.element), found.above[-1]
        elif found.element.tag == "component":
            yield from _each_vulnerability(found)
        else:
            flaw = dict(found.element.attrib)
            of_category = found.above[2]
            around = {
                "application": _application(found),
                "kind": found.above[-1].tag,
                "category": of_category.get("categoryname", ""),
                "cwename": found.above[3].get("cwename", ""),
                "advice": advice if category is of_category else "",
                _FIRST_SEEN: _moment(flaw.get("date_first_occurrence", "")),
            }
            yield Record(_path(found), {**flaw, **around})


def _path(found: XmlRecord) -> tuple[str, ...]:
    return tuple(found.pointer[1:].split("/"))


def _moment(written: str) -> str:
    return written.replace(" UTC", "+00:00")


def _paragraphs(element: Element) -> str:
    """`<para text="…"><bulletitem text="…"/></para>`."""
    words = (
        ("- " if each.tag.endswith("bulletitem") else "") + each.get("text", "")
        for each in element.iter()
        if each.get("text")
    )
    return "\n".join(words)


def _each_vulnerability(found: XmlRecord) -> Iterator[Record]:
    component = values_of(found.element)
    for nth, vulnerability in enumerate(listed(component, "vulnerabilities", "vulnerability"), 1):
        path = (*_path(found), "vulnerabilities[1]", f"vulnerability[{nth}]")
        value = {
            "application": _application(found),
            "component": component,
            "vulnerability": vulnerability,
            _FIRST_SEEN: _moment(text(vulnerability, "first_found_date")),
        }
        yield Record(path, value)


def _problem(found: Record) -> Problem | None:
    item = found.value
    if "component" in item:
        is_settled = text(item, "vulnerability", "mitigation").lower() == "true"
        return None if is_settled else _package(item)
    if text(item, "mitigation_status").lower() == "accepted":
        return None
    if text(item, "remediation_status").lower() in _GONE:
        return None
    return _web(item) if item["kind"] == "dynamicflaws" else _check(item)


def _title(item: dict[str, Any]) -> str:
    names = (text(item, "categoryname"), item["category"], item["cwename"])
    return one_line(next(filter(None, names), "Flaw"), 250)


def _severity(item: Any) -> Severity:
    return _SEVERITIES.get(text(item, "severity"), Severity.UNKNOWN)


def _check(item: dict[str, Any]) -> FailedCheck:
    cwes = cwes_in([f"CWE-{text(item, 'cweid')}"])
    path, file = text(item, "sourcefilepath"), text(item, "sourcefile")
    place = f"{path.rstrip('/')}/{file}" if path and file else path or file
    scope, function = text(item, "scope"), text(item, "functionprototype")
    return FailedCheck(
        finding_type=FindingType.STATIC_CODE,
        scanner="Veracode",
        check=next(iter(cwes), _title(item)),
        severity=_severity(item),
        file=file_of(place) or one_line(text(item, "module"), 500) or "application",
        title=_title(item),
        name=_title(item),
        line=whole(item, "line"),
        message=without_markup(text(item, "description")),
        remediation=item["advice"],
        resource=one_line(function or scope, 500),
        repository=item["application"],
        cwes=cwes,
        category=one_line(text(item, "module"), 100),
        known_by=text(item, "issueid"),
    )


def _web(item: dict[str, Any]) -> WebFinding:
    address = address_of(text(item, "url"))
    site = address.site or item["application"]
    cwes = cwes_in([f"CWE-{text(item, 'cweid')}"])
    return WebFinding(
        scanner="Veracode",
        title=_title(item),
        severity=_severity(item),
        resource=Resource(
            id=site or "application", name=address.host or site, type="web_application"
        ),
        rule=next(iter(cwes), ""),
        path=address.path,
        parameter=one_line(text(item, "vuln_parameter"), 200),
        description=without_markup(text(item, "description")),
        remediation=item["advice"],
        cwes=cwes,
    )


def _package(item: dict[str, Any]) -> VulnerablePackage:
    component, vulnerability = item["component"], item["vulnerability"]
    id_ = one_line(text(vulnerability, "cve_id"), 100)
    name = text(component, "library") or text(component, "file_name")
    paths = [text(each, "value") for each in listed(component, "file_paths", "file_path")]
    return VulnerablePackage(
        id=id_,
        scanner="Veracode",
        holder=Holder(name=item["application"] or "application", resource_type="application"),
        is_of_system=False,
        package=one_line(name or "component", 300),
        severity=_severity(vulnerability),
        version=one_line(text(component, "version"), 200),
        seen_at=next(iter(sorted(paths)), "") or text(component, "file_name"),
        description=without_markup(text(vulnerability, "cve_summary")),
        aliases=cves_in([id_]),
        cwes=cwes_in([text(vulnerability, "cwe_id")]),
        cvss_score=number(vulnerability, "cvss_score"),
    )
