"""Grype JSON.

A match in a package of the operating system (deb, rpm, apk, …) becomes a
host_and_container_vulnerability of the image or host, any other match a library_vulnerability.
Identity: see `packages`; the path is the package's first location, below the directory scanned.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.merging import FoundPackage, merge_packages
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.streams.records import Outline, records
from findings.formats.values import severities
from findings.formats.values.fields import dig, number, objects, one_line, text, texts
from findings.formats.values.paths import below, scanned_root

NAME = "grype"
LABEL = "Grype JSON"

_SYSTEM_PACKAGES = frozenset({"alpm", "apk", "deb", "linux-kernel", "msrc-kb", "portage", "rpm"})


def recognises(outline: Outline) -> bool:
    if "matches" not in outline.first:
        return False
    first = outline.first["matches"]
    is_of_xeol = "Cycle" in first or outline.names.get("descriptor") == "xeol"  # a fork of Grype
    is_match = first >= {"vulnerability", "artifact"}
    return is_match or ("descriptor" in outline.keys and not is_of_xeol)


def scanner(_report: BinaryIO) -> str:
    return "Grype"


def target(report: BinaryIO) -> str:
    """The image without its tag, or the directory."""
    for found in records(report, "/source"):
        name = _holder(found.value, "", is_of_system=True).lasting_name
        return "" if name in ("host", "image", ".", "./") else name
    return ""


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    yield from merge_packages(_matches(report), latest=latest)


def _matches(report: BinaryIO) -> Iterator[FoundPackage | Rejected]:
    sources = [found.value for found in records(report, "/source")]
    source = sources[-1] if sources else None
    for position, found in enumerate(records(report, "/matches/*")):
        missing = next((path for path in _REQUIRED if not text(found.value, *path)), None)
        if missing:
            detail = f"`{'.'.join(missing)}` is required."
            pointer = "/".join((found.pointer, *missing))
            yield Rejected(position, pointer, "Missing field", detail)
        else:
            yield FoundPackage(_match(found.value, source), position, found.pointer)


_REQUIRED = (("vulnerability", "id"), ("artifact", "name"))


def _match(match: dict[str, Any], source: Any) -> VulnerablePackage:
    vulnerability, artifact = match["vulnerability"], match["artifact"]
    related = objects(match, "relatedVulnerabilities")
    score, vector = _cvss([vulnerability, *related])
    kind = text(artifact, "type")
    location = text(artifact, "locations", 0, "path")
    is_of_system = kind in _SYSTEM_PACKAGES
    path = below(_root(source), location)
    descriptions = [text(each, "description") for each in (vulnerability, *related)]
    return VulnerablePackage(
        id=one_line(text(vulnerability, "id"), 100),
        scanner="Grype",
        holder=_holder(source, path, is_of_system=is_of_system),
        is_of_system=is_of_system,
        package=one_line(text(artifact, "name"), 300),
        severity=severities.from_word(text(vulnerability, "severity")) or Severity.UNKNOWN,
        version=one_line(text(artifact, "version"), 200),
        fixed_versions=[one_line(each, 100) for each in texts(vulnerability, "fix", "versions")],
        ecosystem=one_line(kind, 100),
        path="" if is_of_system else path,
        purl=text(artifact, "purl"),
        description=next(filter(None, descriptions), ""),
        aliases=[one_line(text(each, "id"), 100) for each in related],
        cwes=[one_line(text(each, "cwe"), 20) for each in objects(vulnerability, "cwes")],
        cvss_score=score,
        cvss_vector=vector,
        epss=number(vulnerability, "epss", 0, "epss"),
        is_exploited=bool(dig(vulnerability, "knownExploited")),
        urls=[text(vulnerability, "dataSource"), *texts(vulnerability, "urls")],
        former_holder=_holder(source, location, is_of_system=is_of_system).lasting_name,
        former_path="" if is_of_system else location,
    )


def _root(source: Any) -> str:
    """The directory or file that was scanned."""
    return "" if text(source, "type") == "image" else scanned_root(_name(source))


def _holder(source: Any, path: str, *, is_of_system: bool) -> Holder:
    kind = text(source, "type")
    if kind == "image":
        name = text(source, "target", "userInput") or text(source, "target", "imageID")
        return Holder(name=name or "image", resource_type=CONTAINER_IMAGE)
    name = _name(source) or kind
    if is_of_system:
        return Holder(name=name or "host", resource_type="host")
    return Holder(name=path or name or "package", resource_type="file")


def _name(source: Any) -> str:
    return text(source, "target").strip('"') or text(source, "target", "path")


def _cvss(vulnerabilities: list[dict[str, Any]]) -> tuple[float | None, str]:
    """The newest version's score of the vulnerability itself, else of a related one."""
    for vulnerability in vulnerabilities:
        for entry in sorted(
            objects(vulnerability, "cvss"), key=lambda each: text(each, "version"), reverse=True
        ):
            score = number(entry, "metrics", "baseScore")
            if score is not None:
                return score, one_line(text(entry, "vector"), 300)
    return None, ""
