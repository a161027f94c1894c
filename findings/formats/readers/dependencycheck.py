"""OWASP Dependency-Check, XML (schemas 1 to 4) and JSON.

One finding is one vulnerability of one dependency. Suppressed ones are kept out. See
docs/dependencycheck.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

from findings.facts import Severity
from findings.formats.credentials import mask_credentials
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.merging import FoundPackage, merge_packages
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.streams.records import Outline, RefusedReport, begins_with, records
from findings.formats.streams.xml_stream import elements
from findings.formats.values import severities
from findings.formats.values.fields import dig, number, one_line, text
from findings.formats.values.xml import listed, values_of

NAME = "dependency-check"
LABEL = "Dependency-Check"

_SCHEMA = re.compile(r"dependency-check\.(\d+)\.")
_NEWEST = 4
_CWE = re.compile(r"CWE-0*([1-9]\d*)")
_SCORES = ("cvssv4", "cvssV4", "cvssv3", "cvssV3", "cvssv2", "cvssV2")


def recognises(outline: Outline) -> bool:
    if outline.syntax == "xml":
        schema = _SCHEMA.search(outline.namespace)
        if outline.root_tag != "analysis" or not schema:
            return False
        if int(schema[1]) > _NEWEST:
            reason = f"This is Dependency-Check schema {schema[1][:9]}; schemas up to 4 are read."
            raise RefusedReport(reason)
        return True
    return outline.keys >= {"reportSchema", "projectInfo", "dependencies"}


def scanner(_report: BinaryIO) -> str:
    return "Dependency-Check"


def target(report: BinaryIO) -> str:
    """The project."""
    if begins_with(report, b"<"):
        found = elements(report, "analysis/projectInfo/name")
        return next((text(values_of(each.element)) for each in found), "")
    return next((text(each.value) for each in records(report, "/projectInfo/name")), "")


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """What its analysers failed at, of which it gives the exceptions and not the files."""
    if begins_with(report, b"<"):
        at = "analysis/scanInfo/analysisExceptions/exception"
        failures = [values_of(each.element) for each in elements(report, at)]
    else:
        failures = [each.value for each in records(report, "/scanInfo/analysisExceptions/*")]
    for failure in failures:
        exception = dig(failure, "exception") or failure
        yield Unscanned(reason=text(exception, "message") or "An analyser failed.")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    yield from merge_packages(_packages(report), latest=latest)


def _packages(report: BinaryIO) -> Iterator[FoundPackage | Rejected]:
    project = target(report)
    for position, (pointer, vulnerability, dependency) in enumerate(_vulnerabilities(report)):
        if not isinstance(vulnerability, dict):
            yield Rejected(position, pointer, "Not an object", "A vulnerability is an object.")
        elif not text(vulnerability, "name"):
            yield Rejected(position, f"{pointer}/name", "Missing field", "`name` is required.")
        else:
            yield FoundPackage(_package(vulnerability, dependency, project), position, pointer)


class _Found(NamedTuple):
    pointer: str
    vulnerability: Any
    dependency: Any


def _vulnerabilities(report: BinaryIO) -> Iterator[_Found]:
    if begins_with(report, b"<"):
        for element in elements(report, "analysis/dependencies/dependency"):
            dependency = values_of(element.element)
            found = listed(dependency, "vulnerabilities", "vulnerability")
            for nth, vulnerability in enumerate(found, 1):
                pointer = f"{element.pointer}/vulnerabilities[1]/vulnerability[{nth}]"
                yield _Found(pointer, vulnerability, dependency)
        return
    for record in records(report, "/dependencies/*"):
        if not isinstance(record.value, dict):
            yield _Found(record.pointer, None, None)
        for index, vulnerability in enumerate(listed(record.value, "vulnerabilities")):
            pointer = f"{record.pointer}/vulnerabilities/{index}"
            yield _Found(pointer, vulnerability, record.value)


def _purl(dependency: Any) -> str:
    """The package URL: of JSON, of XML since schema 2; before that there were coordinates."""
    packages = listed(dependency, "packages") + listed(dependency, "identifiers", "package")
    urls = (text(each, "id") for each in packages)
    if found := next((url for url in urls if url.startswith("pkg:")), ""):
        return mask_credentials(found)  # once taken apart, none is known
    for identifier in listed(dependency, "identifiers", "identifier"):
        parts = text(identifier, "name").strip("()").split(":")
        if text(identifier, "type") == "maven" and len(parts) == 3:
            return f"pkg:maven/{parts[0]}/{parts[1]}@{parts[2]}"
    return ""


def _name_of(purl: str) -> tuple[str, str, str]:
    """Kind, name as its users write it, and version."""
    kind, _, rest = purl.removeprefix("pkg:").partition("?")[0].partition("#")[0].partition("/")
    path, at, version = rest.rpartition("@")
    name = path if at else rest
    if kind == "maven":
        name = name.replace("/", ":")
    return kind, name.replace("%40", "@"), version if at else ""


def _package(vulnerability: dict[str, Any], dependency: Any, project: str) -> VulnerablePackage:
    purl = _purl(dependency)
    file, path = text(dependency, "fileName"), text(dependency, "filePath")
    kind, name, version = _name_of(purl) if purl else ("", file or path or "file", "")
    score, vector = _cvss(vulnerability)
    word = severities.from_word(text(vulnerability, "severity"))
    id_ = one_line(text(vulnerability, "name"), 100)
    holder = Holder(name=project, resource_type="project")
    if not project:
        holder = Holder(name=file or path or name, resource_type="file")
    references = listed(vulnerability, "references", "reference")
    references = references or listed(vulnerability, "references")
    return VulnerablePackage(
        id=id_,
        scanner="Dependency-Check",
        holder=holder,
        is_of_system=False,
        package=one_line(name, 300),
        severity=word or severities.from_score(score) or Severity.UNKNOWN,
        version=one_line(version, 200),
        fixed_versions=_fixed(vulnerability),
        ecosystem=one_line(kind, 100),
        seen_at=path or file,
        purl=purl,
        description=text(vulnerability, "description"),
        cwes=_cwes(vulnerability),
        cvss_score=score,
        cvss_vector=vector,
        is_exploited=bool(dig(vulnerability, "knownExploitedVulnerability")),
        urls=[
            f"https://nvd.nist.gov/vuln/detail/{id_}" if id_.startswith("CVE-") else "",
            *(text(each, "url") for each in references),
        ],
    )


def _cvss(vulnerability: dict[str, Any]) -> tuple[float | None, str]:
    """The newest version's score."""
    for name in _SCORES:
        for key in ("baseScore", "score"):
            score = number(vulnerability, name, key)
            if score is not None:
                return score, one_line(text(vulnerability, name, "vectorString"), 300)
    return number(vulnerability, "cvssScore"), ""


def _cwes(vulnerability: dict[str, Any]) -> list[str]:
    named = listed(vulnerability, "cwes", "cwe") or listed(vulnerability, "cwes")
    written = " ".join(map(text, [*named, text(vulnerability, "cwe")]))
    return [f"CWE-{each}" for each in sorted({int(one[:6]) for one in _CWE.findall(written)})]


def _fixed(vulnerability: dict[str, Any]) -> list[str]:
    """The first version after the affected ones, of the software that matched."""
    software = listed(vulnerability, "vulnerableSoftware", "software")
    software = software or [
        dig(each, "software") for each in listed(vulnerability, "vulnerableSoftware")
    ]
    matched = [each for each in software if dig(each, "vulnerabilityIdMatched") in (True, "true")]
    ends = (text(each, "versionEndExcluding") for each in matched)
    return list(dict.fromkeys(one_line(end, 100) for end in ends if end))[:5]
