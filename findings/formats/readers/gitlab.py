"""GitLab security reports: SAST, secret detection, dependency, container and cluster image
scanning, DAST, API fuzzing. Documentation: docs/gitlab.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.credentials import mask_credentials
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.checks import FailedCheck, first_sentence
from findings.formats.shapes.found_secrets import FoundSecret
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import Problem, only, read_problems
from findings.formats.shapes.resources import Resource
from findings.formats.shapes.web import WebFinding
from findings.formats.streams.records import Outline, Record, RefusedReport, records
from findings.formats.values import severities
from findings.formats.values.addresses import address_of
from findings.formats.values.advisories import cves_in, cwes_in, ghsas_in
from findings.formats.values.credential_words import is_secret_scanner
from findings.formats.values.fields import objects, one_line, text, whole
from findings.formats.values.masking import masked_within
from findings.formats.values.paths import file_of
from findings.formats.values.purls import purl

NAME = "gitlab"
LABEL = "GitLab security report"

_CONTAINER = frozenset({"container_scanning", "cluster_image_scanning"})
_PACKAGES = _CONTAINER | {"dependency_scanning"}
_WEB = frozenset({"dast", "api_fuzzing"})
_READ = _CONTAINER | _WEB | {"sast", "secret_detection", "dependency_scanning"}
_NOT_READ = ("coverage_fuzzing", "license_scanning")
_SCAN = ("type", "status", "scanner", "analyzer", "messages")
_UPGRADE = re.compile(r"\b(?:upgrade|update)\b[^\n]{0,300}?\bto ([^\n]{1,300})", re.IGNORECASE)
_VERSION = re.compile(r"(?<![\w.])v?(\d+(?:[.:~+-]?\w+)*)", re.ASCII)
_NO_SOLUTION = re.compile(r"\bno (?:solution|fix)", re.IGNORECASE)
_CATALOGUES = ("cwe", "cve", "owasp", "wasc", "osvdb", "usn", "rhsa", "elsa", "ghsa")


def recognises(outline: Outline) -> bool:
    if "vulnerabilities" not in outline.first or outline.root != "object":
        return False
    if not {"version", "scan"} <= outline.keys:
        first = outline.first["vulnerabilities"]
        return "version" in outline.keys and first >= {"category", "identifiers", "location"}
    first = outline.first["vulnerabilities"]
    return not first or bool(first & {"location", "identifiers"})


def scanner(report: BinaryIO) -> str:
    return _scanner_of(_scan(report)) or "GitLab"


def target(report: BinaryIO) -> str:
    """The image, or the site, if there is one."""
    places = ("image", "hostname")
    found = records(report, *(f"/vulnerabilities/*/location/{name}" for name in places))
    return only(_image(text(each.value)) for each in found)


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """A scan that failed, with the first of its messages that is no remark."""
    scan = _scan(report)
    if scan.get("status") == "failure":
        said = [each for each in objects(scan, "messages") if text(each, "level") != "info"]
        yield Unscanned(reason=text(said, 0, "value") or "the scan failed")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    reader = _Reader(report)
    found = records(report, "/vulnerabilities/*")
    yield from read_problems(found, reader.problem, ("name", "message", "cve", "id"), latest=latest)


def _scan(report: BinaryIO) -> dict[str, Any]:
    found = records(report, *(f"/scan/{name}" for name in _SCAN))
    scan = {str(each.path[-1]): each.value for each in found}
    if text(scan, "type") in _NOT_READ:
        kind = text(scan, "type").replace("_", " ")
        raise RefusedReport(f"This is a GitLab report of {kind}, which is not read.")
    return scan


def _scanner_of(value: Any) -> str:
    return one_line(text(value, "scanner", "name") or text(value, "scanner", "id"), 100)


def _image(name: str) -> str:
    return Holder(name=name, resource_type=CONTAINER_IMAGE).lasting_name if name else ""


class _Reader:
    """Of one report: what stands beside its vulnerabilities says what they are."""

    def __init__(self, report: BinaryIO) -> None:
        scan = _scan(report)
        self._kind = text(scan, "type")
        self._scanner = _scanner_of(scan)
        files = (each.value for each in records(report, "/dependency_files/*"))
        self._managers = {
            text(each, "path"): one_line(text(each, "package_manager"), 100) for each in files
        }

    def problem(self, found: Record) -> Problem:
        item = found.value
        kind = self._kind if self._kind in _READ else text(item, "category")
        scanner_name = _scanner_of(item) or self._scanner or "GitLab"
        if kind == "secret_detection" or is_secret_scanner(scanner_name):
            return _secret(item, scanner_name)
        if kind in _WEB or text(item, "location", "hostname"):
            return _web(item, scanner_name)
        if kind in _PACKAGES or text(item, "location", "dependency", "package", "name"):
            return self._package(item, scanner_name)
        return _check(item, scanner_name)

    def _package(self, item: dict[str, Any], scanner_name: str) -> VulnerablePackage:
        place, ids = item.get("location"), _ids(item)
        image = text(place, "image")
        file = file_of(text(place, "file"))
        manager = self._managers.get(text(place, "file"), "")
        package = text(place, "dependency", "package", "name") or _package_in_key(item)
        package = one_line(package, 300) or "component"
        version = one_line(text(place, "dependency", "version"), 200)
        solution = mask_credentials(text(item, "solution"))  # once taken apart, none is known
        holder = Holder(name=file or "project", resource_type="file")
        if image:
            holder = Holder(name=image, resource_type=CONTAINER_IMAGE)
        return VulnerablePackage(
            id=one_line(next(iter(ids), "") or _primary(item), 100),
            scanner=scanner_name,
            holder=holder,
            is_of_system=bool(image),
            package=package,
            severity=_severity(item),
            version=version,
            fixed_versions=_fixed_versions(solution),
            ecosystem=one_line(text(place, "operating_system"), 100).split(" ")[0]
            if image
            else manager,
            purl="" if image else purl(manager, package, version),
            title=_about(item, package),
            description=text(item, "description") or text(item, "message"),
            aliases=ids,
            cwes=_cwes(item),
            urls=_urls(item),
            advice="" if _NO_SOLUTION.search(solution) else solution,
        )


def _package_in_key(item: dict[str, Any]) -> str:
    """Of `service/go.sum:gopkg.in/yaml.v2:gemnasium:7368f513…`, by which versions before 15 tell a
    vulnerability, where the report lacks its component."""
    parts = mask_credentials(text(item, "cve")).split(":")
    return parts[1] if len(parts) == 4 else ""


def _fixed_versions(solution: str) -> list[str]:
    """Of "Upgrade to versions 2.6.9, 3.1.0 or above."."""
    found = (version for said in _UPGRADE.findall(solution) for version in _VERSION.findall(said))
    return list(dict.fromkeys(one_line(each, 100) for each in found))[:5]


def _secret(item: dict[str, Any], scanner_name: str) -> FoundSecret:
    secret = text(item, "raw_source_code_extract")
    leak = masked_within(item, secret)
    place, rule = leak.get("location"), _primary(leak)
    commit = text(place, "commit", "sha")
    return FoundSecret(
        scanner=scanner_name,
        rule=rule,
        secret=secret,
        known_by=text(leak, "cve"),  # before version 15: file, digest of the line, rule
        name=text(leak, "name") or text(leak, "message"),
        severity=_severity(leak),
        file=file_of(text(place, "file")),
        line=whole(place, "start_line"),
        commit="" if set(commit) == {"0"} else one_line(commit, 100),
        author=one_line(text(place, "commit", "author"), 200),
        date=one_line(text(place, "commit", "date"), 50),
        url=next(iter(_urls(leak)), ""),
    )


def _check(item: dict[str, Any], scanner_name: str) -> FailedCheck:
    place, rule = item.get("location"), _primary(item)
    words = text(item, "description") or text(item, "message")
    title = text(item, "name") or text(item, "message") or first_sentence(words)
    is_iac = scanner_name.lower() == "kics"
    return FailedCheck(
        finding_type=FindingType.IAC if is_iac else FindingType.STATIC_CODE,
        scanner=scanner_name,
        check=rule,
        severity=_severity(item),
        file=file_of(text(place, "file")) or "project",
        title=title or rule,
        name=title,
        line=whole(place, "start_line"),
        line_end=whole(place, "end_line"),
        message=words,
        code=text(item, "raw_source_code_extract"),
        remediation=text(item, "solution"),
        resource=_method(place),
        cwes=_cwes(item),
        urls=_urls(item),
        confidence=text(item, "confidence"),
        known_by=_signature(item),
    )


def _method(place: Any) -> str:
    parts = (text(place, "class"), text(place, "method"))
    return one_line(".".join(filter(None, parts)), 500)


def _signature(item: dict[str, Any]) -> str:
    """What GitLab itself tells it by when lines move."""
    for tracked in objects(item, "tracking", "items"):
        values = {text(each, "algorithm"): each for each in objects(tracked, "signatures")}
        for algorithm in ("scope_offset_compressed", "scope_offset"):
            if value := text(values, algorithm, "value"):
                return one_line(value, 500)
    return ""


def _web(item: dict[str, Any], scanner_name: str) -> WebFinding:
    place = item.get("location")
    site, path = text(place, "hostname"), text(place, "path").partition("?")[0]
    name = text(item, "name") or text(item, "message") or _primary(item)
    return WebFinding(
        scanner=scanner_name,
        title=name,
        severity=_severity(item),
        resource=Resource(
            id=site or "site",
            name=address_of(site).host or site,
            type="web_application",
        ),
        rule=_primary(item),
        method=one_line(text(place, "method"), 20),
        path=path,
        parameter=one_line(text(place, "param"), 200),
        description=text(item, "description") or text(item, "message"),
        seen=text(item, "evidence", "summary"),
        remediation=text(item, "solution"),
        cwes=_cwes(item),
        urls=_urls(item),
        confidence=text(item, "confidence"),
    )


def _severity(item: dict[str, Any]) -> Severity:
    return severities.from_word(text(item, "severity")) or Severity.UNKNOWN


def _names(item: dict[str, Any]) -> list[str]:
    pairs = objects(item, "identifiers")
    return [f"{text(each, 'type')} {text(each, 'name')} {text(each, 'value')}" for each in pairs]


def _ids(item: dict[str, Any]) -> list[str]:
    return [*cves_in(_names(item)), *ghsas_in(_names(item))]


def _cwes(item: dict[str, Any]) -> list[str]:
    return cwes_in(_names(item))


def _primary(item: dict[str, Any]) -> str:
    """The scanner's own name of the rule, in whatever order the identifiers stand; else a
    catalogue's."""
    found = [
        (text(each, "type"), text(each, "value") or text(each, "name"))
        for each in objects(item, "identifiers")
    ]
    kind, value = min(filter(_has_value, found), key=_rank, default=("", ""))
    if kind in _CATALOGUES and value.isdigit():
        value = f"{kind.upper()}-{value}"
    return one_line(value or text(item, "name") or text(item, "message") or "rule", 200)


def _has_value(identifier: tuple[str, str]) -> bool:
    return bool(identifier[1])


def _rank(identifier: tuple[str, str]) -> tuple[bool, tuple[str, str]]:
    return identifier[0] in _CATALOGUES, identifier


def _about(item: dict[str, Any], package: str) -> str:
    """The name of the vulnerability, where it is more than its id and its package."""
    name = text(item, "name")
    is_telling = not cves_in([name]) and not ghsas_in([name]) and name != package
    return name if is_telling else ""


def _urls(item: dict[str, Any]) -> list[str]:
    return [text(each, "url") for key in ("identifiers", "links") for each in objects(item, key)]
