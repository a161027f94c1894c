"""The vulnerabilities inside an OCSF finding: in packages, and in code."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from findings.facts import CONTAINER_IMAGE, FindingType
from findings.formats.shapes.packages import Holder, VulnerablePackage, is_system_purl
from findings.formats.shapes.resources import Resource, ResourceFinding
from findings.formats.values import severities
from findings.formats.values.fields import dig, number, objects, one_line, text, texts, whole
from findings.formats.values.identity import fingerprint

_SYSTEM_MANAGERS = frozenset({"os", "apt", "apk", "dnf", "dpkg", "deb", "pacman", "rpm", "yum"})
_DIGITS = re.compile(r"\d+")


def vulnerability_records(item: dict[str, Any], finding: ResourceFinding) -> list[dict[str, Any]]:
    """A record of each vulnerability in each of its packages or pieces of code."""
    found: list[dict[str, Any]] = []
    for vulnerability in objects(item, "vulnerabilities"):
        packages = objects(vulnerability, "affected_packages") or objects(vulnerability, "packages")
        code = objects(vulnerability, "affected_code")
        if packages and _id(vulnerability):
            found += [_in_package(vulnerability, each, finding) for each in packages]
        elif code:
            found += [_in_code(vulnerability, each, finding) for each in code]
    return found


def _id(vulnerability: dict[str, Any]) -> str:
    advisory = text(vulnerability, "advisory", "uid")
    return one_line(text(vulnerability, "cve", "uid") or advisory, 100)


def _cwes(vulnerability: dict[str, Any]) -> list[str]:
    cve = dig(vulnerability, "cve")
    named = [
        text(vulnerability, "cwe", "uid"),
        text(cve, "cwe_uid"),
        text(cve, "cwe", "uid"),
        *(text(each, "uid") for each in objects(cve, "related_cwes")),
    ]
    numbers = {int(found[0]) for found in map(_DIGITS.search, named) if found}
    return [f"CWE-{each}" for each in sorted(numbers)]


def _in_package(
    vulnerability: dict[str, Any], package: dict[str, Any], finding: ResourceFinding
) -> dict[str, Any]:
    cve = dig(vulnerability, "cve")
    scores = sorted(objects(cve, "cvss"), key=lambda each: text(each, "version"), reverse=True)
    manager, purl = text(package, "package_manager").lower(), text(package, "purl")
    is_of_system = manager in _SYSTEM_MANAGERS or is_system_purl(purl)
    fixed = text(package, "fixed_in_version")
    severity = severities.from_word(text(vulnerability, "severity")) or finding.severity
    vulnerable = VulnerablePackage(
        id=_id(vulnerability),
        scanner=finding.scanner,
        holder=_holder(finding.resource),
        is_of_system=is_of_system or not (manager or purl or text(package, "path")),
        package=one_line(text(package, "name") or purl or "package", 300),
        severity=severity,
        version=one_line(text(package, "version"), 200),
        fixed_versions=[] if fixed in ("", "NotAvailable") else [one_line(fixed, 100)],
        ecosystem="" if is_of_system else one_line(manager, 100),
        path=text(package, "path"),
        purl=purl,
        title=text(vulnerability, "title"),
        description=text(vulnerability, "desc") or text(cve, "desc") or finding.opening,
        aliases=[one_line(text(vulnerability, "advisory", "uid"), 100)],
        cwes=_cwes(vulnerability),
        cvss_score=number(scores, 0, "base_score"),
        cvss_vector=one_line(text(scores, 0, "vector_string"), 300),
        epss=number(cve, "epss", "score"),
        urls=[*texts(vulnerability, "references"), *finding.urls],
        advice=text(package, "remediation", "desc") or text(vulnerability, "remediation", "desc"),
    )
    record = vulnerable.record()
    record["first_seen_at"] = finding.first_seen_at
    return record


def _holder(resource: Resource) -> Holder:
    kind = resource.type.lower()
    if "image" in kind:
        name = resource.name or resource.id.partition("/sha256:")[0].rpartition("repository/")[2]
        return Holder(name=name, resource_type=CONTAINER_IMAGE)
    is_host = kind in ("", "awsec2instance", "server", "virtual machine", "desktop", "laptop")
    return Holder(name=resource.id, resource_type="host" if is_host else one_line(kind, 100))


def _in_code(
    vulnerability: dict[str, Any], code: dict[str, Any], finding: ResourceFinding
) -> dict[str, Any]:
    """Its identity is the finding's with the weakness and file: no line."""
    file = text(code, "file", "path") or text(code, "file", "name")
    cwes = _cwes(vulnerability)
    title = text(vulnerability, "title") or finding.title
    is_library = finding.finding_type is FindingType.HOST_AND_CONTAINER
    line = whole(code, "start_line")
    named = replace(
        finding,
        finding_type=FindingType.STATIC_CODE if is_library else finding.finding_type,
        title=title,
        fingerprint=fingerprint(finding.fingerprint, title, cwes, file),
        opening=text(vulnerability, "desc") or finding.opening,
        seen=f"`{file}`, line {line}" if line else f"`{file}`",
        cwes=cwes,
        more={
            **finding.more,
            "code_location": {
                "file": one_line(file, 1_000),
                "line": line,
                "line_end": whole(code, "end_line"),
            },
        },
    )
    return named.record()
