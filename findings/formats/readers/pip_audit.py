"""pip-audit JSON: the list of before 2.0 and the object since. Documentation: docs/pip_audit.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO

from findings.facts import Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.context import Path, context
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values.advisories import cves_in
from findings.formats.values.fields import one_line, text, texts
from findings.formats.values.purls import purl

NAME = "pip-audit"
LABEL = "pip-audit JSON"

_ROOTS = ("", "/dependencies")


def recognises(outline: Outline) -> bool:
    first = outline.first.get("" if outline.root == "list" else "dependencies")
    if first is None:
        return False
    if not first:
        return outline.root == "object" and outline.keys <= {"dependencies", "fixes"}
    return "name" in first and bool(first & {"vulns", "skip_reason"})


def scanner(_report: BinaryIO) -> str:
    return "pip-audit"


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """The skipped packages. Read with their names, in whichever order the two stand."""
    skipped = context(report, *(f"{root}/*/{key}" for root in _ROOTS for key in _SKIPPED))
    for package in skipped.values():
        if reason := text(package, "skip_reason"):
            yield Unscanned(one_line(text(package, "name"), 300), reason, "package")


_SKIPPED = ("name", "skip_reason")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    packages = context(report, *(f"{root}/*/{key}" for root in _ROOTS for key in _CONTEXT))
    found = records(report, *(f"{root}/*/vulns/*" for root in _ROOTS))
    yield from read_problems(found, partial(_vulnerability, packages), "id", latest=latest)


_CONTEXT = ("name", "version")


def _vulnerability(packages: dict[Path, dict[str, Any]], found: Record) -> VulnerablePackage:
    beside_it = packages.get(found.path[:-2], {})
    package = one_line(text(beside_it, "name"), 300) or "package"
    version = one_line(text(beside_it, "version"), 200)
    id_ = one_line(text(found.value, "id"), 100)
    aliases = [one_line(alias, 100) for alias in texts(found.value, "aliases")]
    return VulnerablePackage(
        id=id_,
        scanner="pip-audit",
        holder=Holder(name=package, resource_type="package"),  # the report does not say whose
        is_of_system=False,
        package=package,
        severity=Severity.UNKNOWN,  # nor how severe
        version=version,
        fixed_versions=[one_line(fix, 100) for fix in texts(found.value, "fix_versions")],
        ecosystem="pypi",
        purl=purl("pypi", package, version),
        description=text(found.value, "description"),
        aliases=aliases,
        urls=_urls([id_, *aliases]),
    )


def _urls(ids: list[str]) -> list[str]:
    names = [each for each in ids if each.startswith(("PYSEC-", "GHSA-")) and each.isascii()]
    known = [f"https://osv.dev/vulnerability/{each}" for each in names]
    return known + [f"https://nvd.nist.gov/vuln/detail/{cve}" for cve in cves_in(ids)]
