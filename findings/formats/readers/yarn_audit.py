"""yarn audit, JSON lines: of Yarn 1 (`yarn audit --json`) and of Yarn 4
(`yarn npm audit --json`). Documentation: docs/yarn_audit.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.npm import MAX_PATHS, npm_package
from findings.formats.shapes.packages import VulnerablePackage
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.json_lines import documents
from findings.formats.streams.records import Outline, Record, RefusedReport
from findings.formats.values.advisories import cves_in, cwes_in, ghsas_in
from findings.formats.values.fields import dig, number, objects, one_line, text, texts

NAME = "yarn-audit"
LABEL = "yarn audit JSON lines"

_VERSION_1 = frozenset({"type", "data"})
_VERSION_4 = frozenset({"value", "children"})
_ADVISORY = "auditAdvisory"
_AUDIT = frozenset({_ADVISORY, "auditSummary", "auditAction"})
_DEPRECATED = "(deprecation)"
_NO_FIX = frozenset({"", "<0.0.0"})


def recognises(outline: Outline) -> bool:
    if outline.root == "object" and outline.keys == _VERSION_1:
        return outline.scalars.get("type") in _AUDIT
    is_stream = outline.root in ("lines", "object")
    return is_stream and outline.kinds in (_VERSION_1, _VERSION_4)


def scanner(report: BinaryIO) -> str:
    """RefusedReport for lines of `type` and `data` that are not of an audit."""
    for found in documents(report):
        if text(found.value, "type") in _AUDIT or text(found.value, "value"):
            return "yarn audit"
    raise RefusedReport("The lines have a type and data, but none is of yarn's audit.")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    scanner(report)
    found = (each for each in documents(report) if _is_advisory(each.value))
    required = ("data/advisory/module_name", "value")
    yield from read_problems(found, _advisory, required, latest=latest)


def _is_advisory(value: Any) -> bool:
    """Not the summary, a warning, or a package that is deprecated and no more."""
    if not isinstance(value, dict):
        return True  # rejected later
    if "type" in value:
        return text(value, "type") == _ADVISORY
    return not text(value, "children", "ID").endswith(_DEPRECATED)


def _advisory(found: Record) -> VulnerablePackage:
    if "children" in found.value or "value" in found.value:
        return _of_version_4(found.value)
    return _of_version_1(found.value)


def _of_version_1(line: dict[str, Any]) -> VulnerablePackage:
    advisory = dig(line, "data", "advisory")
    package = one_line(text(advisory, "module_name"), 300)
    installed = objects(advisory, "findings")
    versions = sorted({text(each, "version") for each in installed} - {""})
    paths = sorted({path for each in installed for path in texts(each, "paths")})
    patched = one_line(text(advisory, "patched_versions"), 200)
    names = [text(advisory, "github_advisory_id"), text(advisory, "url"), *texts(advisory, "cves")]
    return _package(
        package,
        names,
        number_id=text(advisory, "id"),
        severity=text(advisory, "severity"),
        versions=versions,
        fixed_versions=[] if patched in _NO_FIX else [patched],
        title=text(advisory, "title"),
        description=text(advisory, "overview"),
        cwes=cwes_in(texts(advisory, "cwe")),
        cvss_score=number(advisory, "cvss", "score") or None,  # 0: none is known
        cvss_vector=one_line(text(advisory, "cvss", "vectorString"), 300),
        urls=[text(advisory, "url")],
        through=[path.replace(">", " > ") for path in paths[:MAX_PATHS]],
        advice="" if patched in _NO_FIX else text(advisory, "recommendation"),
    )


def _of_version_4(line: dict[str, Any]) -> VulnerablePackage:
    issue = dig(line, "children")
    url = text(issue, "URL")
    affected = one_line(text(issue, "Vulnerable Versions"), 300)
    return _package(
        one_line(text(line, "value"), 300),
        [url],
        number_id=text(issue, "ID"),
        severity=text(issue, "Severity"),
        versions=sorted(texts(issue, "Tree Versions")),
        title=text(issue, "Issue"),
        description=f"Versions {affected} are vulnerable." if affected else "",
        urls=[url],
        through=sorted(map(_dependent, texts(issue, "Dependents")))[:MAX_PATHS],
    )


def _dependent(locator: str) -> str:
    """`api@npm:1.2.0`, without the hash of a virtual one."""
    name, at, rest = locator.partition("@virtual:")
    return f"{name}@{rest.rpartition('#')[2]}" if at else locator


def _package(package: str, names: list[str], **more: Any) -> VulnerablePackage:
    ids = [*ghsas_in(names), *cves_in(names)]
    return npm_package(package, ids, scanner="yarn audit", **more)
