"""Checkmarx: the XML of CxSAST and the JSON of Checkmarx One. Documentation: docs/checkmarx.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import Problem, read_problems
from findings.formats.streams.records import Outline, Record, begins_with, records
from findings.formats.streams.xml_stream import XmlRecord, elements
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in, cwes_in
from findings.formats.values.fields import (
    dig,
    number,
    objects,
    one_line,
    text,
    texts,
    whole,
)
from findings.formats.values.paths import file_of
from findings.formats.values.xml import listed, values_of

NAME = "checkmarx"
LABEL = "Checkmarx"

_RESULT = "CxXMLResults/Query/Result"
_NOT_EXPLOITABLE = "1"  # state of a result in XML
_SETTLED = frozenset({"NOT_EXPLOITABLE", "IGNORED"})
_KINDS = {
    "kics": FindingType.IAC,
    "sast": FindingType.STATIC_CODE,
    "sscs-secret-detection": FindingType.SECRET,
}
_PACKAGES = frozenset({"sca", "containers"})


def recognises(outline: Outline) -> bool:
    if outline.syntax == "xml":
        return outline.root_tag == "CxXMLResults"
    if outline.root != "object" or "results" not in outline.first:
        return False
    first = outline.first["results"]
    is_scan = {"scanID", "totalCount"} <= outline.keys
    return first >= {"type", "similarityId", "severity", "data"} or (is_scan and not first)


def scanner(_report: BinaryIO) -> str:
    return "Checkmarx"


def target(report: BinaryIO) -> str:
    """The project, which only the XML names."""
    if not begins_with(report, b"<"):
        return ""
    return next((_project(found) for found in elements(report, _RESULT)), "")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    if begins_with(report, b"<"):
        results = map(_of_xml, elements(report, _RESULT))
        yield from read_problems(results, _result, "query/name", latest=latest)
        return
    yield from read_problems(
        records(report, "/results/*"), _one, "type", latest=latest, first_seen="firstFoundAt"
    )


def _project(found: XmlRecord) -> str:
    return one_line(found.above[0].get("ProjectName", ""), 300)


def _of_xml(found: XmlRecord) -> Record:
    value = values_of(found.element)
    result = value if isinstance(value, dict) else {}
    around = {"query": dict(found.above[-1].attrib), "project": _project(found)}
    return Record(tuple(found.pointer[1:].split("/")), {**result, **around})


def _result(found: Record) -> FailedCheck | None:
    result, query = found.value, found.value["query"]
    is_false = text(result, "FalsePositive").lower() == "true"
    if is_false or text(result, "state") == _NOT_EXPLOITABLE:
        return None
    path = dig(result, "Path")
    nodes = listed(path, "PathNode")
    line = whole(result, "Line")
    name = _words(text(query, "name"))
    return FailedCheck(
        finding_type=FindingType.STATIC_CODE,
        scanner="Checkmarx",
        check=one_line(text(query, "name"), 200),
        severity=_severity(text(result, "Severity") or text(query, "Severity")),
        file=file_of(text(result, "FileName")) or "project",
        title=name,
        name=name,
        line=line,
        message=_way([(text(each, "FileName"), text(each, "Name")) for each in nodes]),
        code=_code(nodes),
        repository=result["project"],
        cwes=cwes_in([f"CWE-{text(query, 'cweId')}"]),
        urls=[text(result, "DeepLink")],
        category=one_line(text(query, "group"), 100),
        known_by=text(path, "SimilarityId"),
    )


def _words(name: str) -> str:
    """`SQL_Injection` as people write it."""
    return one_line(name.replace("_", " "), 200)


def _way(nodes: list[tuple[str, str]]) -> str:
    """From where the data comes in to where it does harm."""
    steps = [f"`{one_line(name, 200)}` in `{file_of(file)}`" for file, name in nodes if name]
    if len(steps) < 2:
        return steps[0] if steps else ""
    return f"From {steps[0]} to {steps[-1]}."


def _code(nodes: list[Any]) -> str:
    """The line at the end of the way."""
    last = nodes[-1] if nodes else None
    return text(next(iter(listed(last, "Snippet", "Line")), None), "Code")


def _one(found: Record) -> Problem | None:
    result = found.value
    is_settled = text(result, "state").upper() in _SETTLED
    if is_settled or text(result, "status").upper() == "FIXED":
        return None
    kind = text(result, "type").lower()
    if kind in _PACKAGES and text(result, "data", "packageIdentifier"):
        return _package(result)
    return _check(result, _KINDS.get(kind, FindingType.STATIC_CODE))


def _check(result: dict[str, Any], finding_type: FindingType) -> FailedCheck:
    data = dig(result, "data")
    nodes = objects(data, "nodes")
    place = nodes[0] if nodes else data
    query = text(data, "queryName") or text(data, "ruleName") or text(result, "type")
    file = text(place, "fileName") or text(data, "filename") or text(data, "fileName")
    expected, value = text(data, "expectedValue"), text(data, "value")
    seen = f"Expected: {expected}\n\nFound: {value}" if expected else ""
    return FailedCheck(
        finding_type=finding_type,
        scanner="Checkmarx",
        check=one_line(query, 200),
        severity=_severity(text(result, "severity")),
        file=file_of(file).lstrip("/") or "project",
        title=_words(query),
        name=_words(query),
        line=whole(place, "line"),
        message=seen
        or _way([(text(n, "fileName"), text(n, "fullName") or text(n, "name")) for n in nodes]),
        about=text(result, "description"),
        remediation=text(data, "remediation"),
        platform=text(data, "platform") if finding_type is FindingType.IAC else "",
        cwes=cwes_in([_cwe(result)]),
        category=one_line(text(data, "group"), 100),
        known_by=text(result, "similarityId") or text(result, "id"),
    )


def _package(result: dict[str, Any]) -> VulnerablePackage:
    data, details = result["data"], dig(result, "vulnerabilityDetails")
    ecosystem, name, version = _identifier(text(data, "packageIdentifier"))
    id_ = text(details, "cveName") or text(result, "id") or text(result, "similarityId")
    fixed = one_line(text(data, "recommendedVersion"), 100)
    locations = texts(data, "scaPackageData", "locations")
    path = file_of(sorted(locations)[0]) if locations else ""
    return VulnerablePackage(
        id=one_line(id_ or name, 100),
        scanner="Checkmarx",
        holder=Holder(name=path or "project", resource_type="file" if path else "project"),
        is_of_system=False,
        package=name,
        severity=_severity(text(result, "severity")),
        version=version,
        fixed_versions=[fixed] if fixed else [],
        ecosystem=ecosystem,
        description=text(result, "description"),
        aliases=cves_in([id_]),
        cwes=cwes_in([_cwe(result)]),
        cvss_score=number(details, "cvssScore"),
        urls=[text(each, "url") for each in objects(data, "packageData")],
        advice="" if fixed else text(data, "recommendations"),
    )


def _identifier(written: str) -> tuple[str, str, str]:
    """Kind, name and version of `Npm-lodash-4.17.15`."""
    ecosystem, _, rest = written.partition("-")
    name, _, version = rest.rpartition("-")
    if not name:
        return "", one_line(written, 300), ""
    return one_line(ecosystem, 100), one_line(name, 300), one_line(version, 200)


def _cwe(result: dict[str, Any]) -> str:
    """A number, or "CWE-89"."""
    written = text(result, "vulnerabilityDetails", "cweId")
    return f"CWE-{written}" if written.isdigit() else written


def _severity(word: str) -> Severity:
    return severities.from_word(word) or Severity.UNKNOWN
