"""Dependabot alerts as GitHub's REST API lists them. Documentation: docs/dependabot.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import only, read_problems
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in, cwes_in, ghsas_in
from findings.formats.values.fields import dig, number, objects, one_line, text
from findings.formats.values.github import repository_of
from findings.formats.values.purls import purl

NAME = "dependabot"
LABEL = "GitHub Dependabot alerts"

_OURS = frozenset({"dependency", "security_advisory", "state"})
_SCORES = (("cvss_severities", "cvss_v4"), ("cvss_severities", "cvss_v3"), ("cvss",))


def recognises(outline: Outline) -> bool:
    return outline.root == "list" and outline.first.get("", frozenset()) >= _OURS


def scanner(_report: BinaryIO) -> str:
    return "Dependabot"


def target(report: BinaryIO) -> str:
    """The repository, if all alerts are of one."""
    return only(filter(None, (repository_of(found.value) for found in records(report, "/*"))))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    required = ("state", "dependency/package/name", _IDS)
    yield from read_problems(
        records(report, "/*"), _alert, *required, latest=latest, first_seen="created_at"
    )


_IDS = ("security_advisory/ghsa_id", "security_advisory/cve_id")


def _alert(found: Record) -> VulnerablePackage | None:
    alert = found.value
    if text(alert, "state") != "open":
        return None
    advisory, dependency = alert["security_advisory"], alert["dependency"]
    vulnerability = dig(alert, "security_vulnerability")
    ids = [text(advisory, "cve_id"), text(advisory, "ghsa_id")]
    ids += [text(each, "value") for each in objects(advisory, "identifiers")]
    aliases = [*cves_in(ids), *ghsas_in(ids)]
    name = one_line(text(dependency, "package", "name"), 300)
    ecosystem = one_line(text(dependency, "package", "ecosystem"), 100)
    repository = repository_of(alert)
    manifest = one_line(text(dependency, "manifest_path"), 1_000)
    fixed = one_line(text(vulnerability, "first_patched_version", "identifier"), 100)
    score, vector = _cvss(advisory)
    return VulnerablePackage(
        id=one_line(next(iter(aliases), "") or next(filter(None, ids)), 100),
        scanner="Dependabot",
        holder=Holder(
            name=repository or manifest or "repository",
            resource_type="repository" if repository else "file",
        ),
        is_of_system=False,
        package=name,
        severity=_severity(vulnerability, advisory),
        fixed_versions=[fixed] if fixed else [],
        ecosystem=ecosystem,
        path=manifest,
        purl=purl(ecosystem, name),
        title=text(advisory, "summary"),
        description=text(advisory, "description"),
        aliases=aliases,
        cwes=cwes_in(text(each, "cwe_id") for each in objects(advisory, "cwes")),
        cvss_score=score,
        cvss_vector=vector,
        epss=_epss(advisory),
        urls=[text(alert, "html_url"), *(text(u, "url") for u in objects(advisory, "references"))],
        repository=repository,
    )


def _severity(vulnerability: Any, advisory: Any) -> Severity:
    word = text(vulnerability, "severity") or text(advisory, "severity")
    return severities.from_word(word) or Severity.UNKNOWN


def _cvss(advisory: dict[str, Any]) -> tuple[float | None, str]:
    """The newest version's score; 0 without a vector is GitHub's word for none."""
    for path in _SCORES:
        entry = dig(advisory, *path)
        vector = one_line(text(entry, "vector_string"), 300)
        if vector and (score := number(entry, "score")) is not None:
            return score, vector
    return None, ""


def _epss(advisory: dict[str, Any]) -> float | None:
    found = number(advisory, "epss", "percentage")
    return found if found is not None else number(advisory, "epss", 0, "percentage")
