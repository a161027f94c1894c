"""OSV-Scanner JSON, versions 1 and 2. Documentation: docs/osv_scanner.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes import osv
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.context import Path, context
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.fields import dig, number, objects, one_line, text, texts
from findings.formats.values.paths import file_of, former_file_of
from findings.formats.values.purls import purl

NAME = "osv-scanner"
LABEL = "OSV-Scanner JSON"

_SYSTEMS = (
    "alma", "alpaquita", "alpine", "bellsoft", "chainguard", "debian", "mageia", "minimos",
    "opensuse", "photon", "red hat", "rocky", "suse", "ubuntu", "wolfi",
)  # fmt: skip
_AROUND = ("package", "groups")
_EMPTY = frozenset({"results", "experimental_config", "image_metadata"})


def recognises(outline: Outline) -> bool:
    first = outline.first.get("results")
    if first is None:
        return False
    return first >= {"source", "packages"} if first else outline.keys <= _EMPTY


def scanner(_report: BinaryIO) -> str:
    return "OSV-Scanner"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    surroundings = _Surroundings(report)
    found = records(report, "/results/*/packages/*/vulnerabilities/*")
    yield from read_problems(found, surroundings.vulnerability, "id", latest=latest)


class _Surroundings:
    """What stands around the vulnerabilities: sources, packages, groups of equal ones."""

    def __init__(self, report: BinaryIO) -> None:
        self._is_image = next(records(report, "/image_metadata/os"), None) is not None
        self._sources = context(report, "/results/*/source")
        # As JSON again: as objects they take five times the memory, and a report may name
        # a hundred thousand packages.
        patterns = (f"/results/*/packages/*/{key}" for key in _AROUND)
        self._packages = {
            found.path: json.dumps(found.value) for found in records(report, *patterns)
        }

    def vulnerability(self, found: Record) -> VulnerablePackage:
        entry, around = found.value, self._around(found.path[:4])
        group = _group_of(text(entry, "id"), around)
        ids = [text(entry, "id"), *texts(entry, "aliases")]
        ids += [*texts(group, "ids"), *texts(group, "aliases")]
        package = one_line(text(around, "package", "name"), 300) or "package"
        version = one_line(text(around, "package", "version"), 200)
        ecosystem = one_line(text(around, "package", "ecosystem"), 100)
        is_of_system = ecosystem.lower().startswith(_SYSTEMS)
        score, vector = osv.cvss_of(entry)
        score = number(group, "max_severity") or score
        return VulnerablePackage(
            id=osv.known_as(ids),
            scanner="OSV-Scanner",
            holder=self._holder(found, is_of_system=is_of_system),
            is_of_system=is_of_system,
            package=package,
            severity=_severity(entry, group),
            version=version,
            fixed_versions=osv.fixed_versions_of(entry, package),
            ecosystem=ecosystem,
            path=self._path(found) if self._is_image and not is_of_system else "",
            purl=purl(ecosystem, package, version) or osv.purl_of(entry, package),
            title=text(entry, "summary"),
            description=text(entry, "details"),
            aliases=[one_line(each, 100) for each in dict.fromkeys(ids)],
            cwes=osv.cwes_of(entry),
            cvss_score=score,
            cvss_vector=vector,
            urls=[f"https://osv.dev/vulnerability/{text(entry, 'id')}", *osv.urls_of(entry)],
            reachability=_reachability(group),
            former_holder=self._former_holder(found, is_of_system=is_of_system),
            former_path=self._former_path(found) if self._is_image and not is_of_system else "",
        )

    def _around(self, package: Path) -> dict[str, Any]:
        return {key: json.loads(self._packages.get((*package, key), "null")) for key in _AROUND}

    def _path(self, found: Record) -> str:
        return file_of(text(self._sources.get(found.path[:2], {}), "source", "path"))

    def _former_path(self, found: Record) -> str:
        return former_file_of(text(self._sources.get(found.path[:2], {}), "source", "path"))

    def _holder(self, found: Record, *, is_of_system: bool) -> Holder:
        return self._holder_at(self._path(found), found, is_of_system=is_of_system)

    def _former_holder(self, found: Record, *, is_of_system: bool) -> str:
        path = self._former_path(found)
        return self._holder_at(path, found, is_of_system=is_of_system).lasting_name

    def _holder_at(self, path: str, found: Record, *, is_of_system: bool) -> Holder:
        kind = text(self._sources.get(found.path[:2], {}), "source", "type")
        if self._is_image:  # version 2 does not write its name
            return Holder(name="image", resource_type=CONTAINER_IMAGE)
        if kind == "docker" or (is_of_system and kind != "git"):
            return Holder(name=path.partition(":/")[0] or "image", resource_type=CONTAINER_IMAGE)
        return Holder(name=path or "package", resource_type="file")


def _group_of(id_: str, around: dict[str, Any]) -> dict[str, Any]:
    """The group of equal vulnerabilities that this one is of."""
    groups = (group for group in objects(around, "groups") if id_ in texts(group, "ids"))
    return next(groups, {})


def _severity(entry: Any, group: dict[str, Any]) -> Severity:
    if text(entry, "id").startswith("MAL-"):  # the package itself is an attack
        return Severity.CRITICAL
    by_score = severities.from_score(dig(group, "max_severity"))
    return by_score or osv.severity_of(entry) or Severity.UNKNOWN


def _reachability(group: dict[str, Any]) -> str:
    """What call analysis found, where it was on."""
    analysis = dig(group, "experimental_analysis") or dig(group, "experimentalAnalysis")
    if not isinstance(analysis, dict):
        return ""
    called = [dig(each, "called") for each in analysis.values()]
    return "called" if True in called else "not called" if False in called else ""
