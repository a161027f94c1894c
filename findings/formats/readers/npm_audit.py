"""npm audit JSON, of npm 6 and of 7 and later. Documentation: docs/npm_audit.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO

from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.npm import MAX_PATHS, npm_package
from findings.formats.shapes.packages import VulnerablePackage
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.context import Path, context
from findings.formats.streams.records import Outline, Record, RefusedReport, records
from findings.formats.values.advisories import cves_in, cwes_in, ghsas_in
from findings.formats.values.fields import dig, number, objects, one_line, text, texts

NAME = "npm-audit"
LABEL = "npm audit JSON"

_URL = re.compile(r"https?://[^\s)\]>]+")
_FAILED = frozenset({"error", "message", "method", "uri", "headers", "statusCode", "body"})


def recognises(outline: Outline) -> bool:
    if "auditReportVersion" in outline.keys:
        version = outline.scalars.get("auditReportVersion")
        if version != 2:
            raise RefusedReport(
                f"This is npm's audit report version {str(version)[:20]}; 2 and npm 6's are read."
            )
        return True
    if "error" in outline.keys and outline.keys <= _FAILED:
        raise RefusedReport("The file holds an error, as npm audit ends with one, not a report.")
    return {"advisories", "metadata"} <= outline.keys


def scanner(_report: BinaryIO) -> str:
    return "npm audit"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    old = records(report, "/advisories/{}")
    yield from read_problems(old, _advisory, "module_name", latest=latest)
    packages = context(report, *(f"/vulnerabilities/{{}}/{key}" for key in _CONTEXT))
    new = (
        found
        for found in records(report, "/vulnerabilities/{}/via/*")
        if not isinstance(found.value, str)  # the name of a package that is reported itself
    )
    yield from read_problems(new, partial(_cause, packages), "name", latest=latest)


_CONTEXT = ("nodes", "fixAvailable", "range", "isDirect")


def _advisory(found: Record) -> VulnerablePackage:
    """Of npm 6."""
    advisory = found.value
    package = one_line(text(advisory, "module_name"), 300)
    installed = objects(advisory, "findings")
    versions = list(dict.fromkeys(text(each, "version") for each in installed))
    paths = [path for each in installed for path in texts(each, "paths")]
    cves = cves_in(texts(advisory, "cves"))
    ids = [*ghsas_in([text(advisory, "github_advisory_id"), text(advisory, "url")]), *cves]
    patched = text(advisory, "patched_versions")
    is_fixable = patched not in ("", "<0.0.0")
    return npm_package(
        package,
        ids,
        scanner="npm audit",
        number_id=text(advisory, "id") or str(found.path[-1]),
        severity=text(advisory, "severity"),
        versions=versions,
        fixed_versions=[one_line(patched, 200)] if is_fixable else [],
        title=text(advisory, "title"),
        description=text(advisory, "overview"),
        cwes=cwes_in(texts(advisory, "cwe")),
        cvss_score=number(advisory, "cvss", "score"),
        cvss_vector=one_line(text(advisory, "cvss", "vectorString"), 300),
        urls=[text(advisory, "url"), *_URL.findall(text(advisory, "references"))],
        through=[path.replace(">", " > ") for path in paths[:MAX_PATHS]],
        advice=text(advisory, "recommendation") if is_fixable else "",
    )


def _cause(packages: dict[Path, dict[str, Any]], found: Record) -> VulnerablePackage:
    """Of npm 7 and later: one of the advisories that make a package vulnerable."""
    cause, around = found.value, packages.get(found.path[:-2], {})
    package = one_line(text(cause, "dependency") or text(cause, "name"), 300)
    url = text(cause, "url")
    fix = around.get("fixAvailable")
    return npm_package(
        package,
        ghsas_in([url]),
        scanner="npm audit",
        number_id=text(cause, "source"),
        severity=text(cause, "severity"),
        title=text(cause, "title"),
        description=_affected(text(cause, "range")),
        cwes=cwes_in(texts(cause, "cwe")),
        cvss_score=number(cause, "cvss", "score") or None,  # 0: npm's word for none
        cvss_vector=one_line(text(cause, "cvss", "vectorString"), 300),
        urls=[url],
        through=texts(around, "nodes")[:MAX_PATHS],
        is_fixable=bool(fix),
        advice=_advice(fix),
    )


def _affected(versions: str) -> str:
    return f"Versions {one_line(versions, 300)} are vulnerable." if versions else ""


def _advice(fix: Any) -> str:
    if fix is True:
        return "Run `npm audit fix`."
    name, version = text(fix, "name"), text(fix, "version")
    if not name:
        return ""
    major = ", a new major version" if dig(fix, "isSemVerMajor") is True else ""
    return f"Update {one_line(name, 200)} to {one_line(version, 100)}{major}."
