"""Wiz, CSV of issues and of vulnerabilities. Documentation: docs/wiz.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import Problem, ReadyProblem, read_problems
from findings.formats.shapes.resources import Resource, ResourceFinding, check_identity
from findings.formats.streams import csv_stream
from findings.formats.streams.records import Outline, Record
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in, ghsas_in
from findings.formats.values.fields import number, one_line, tags, text, without_empty

NAME = "wiz"
LABEL = "Wiz CSV"

_ISSUES = frozenset({"Title", "Severity", "Status", "Control ID", "Issue ID", "Resource Type"})
_VULNERABILITIES = frozenset({"Name", "FindingStatus", "DetailedName", "AssetName", "WizURL"})
_OPEN = frozenset({"open", "in_progress", "in progress", ""})
_FIRST_SEEN = "first seen"  # of either kind, as one field


def recognises(outline: Outline) -> bool:
    columns = frozenset(outline.columns)
    return columns >= _ISSUES or columns >= _VULNERABILITIES


def scanner(_report: BinaryIO) -> str:
    return "Wiz"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    found = (
        Record(("rows", row.position), _dated(dict(row.cells))) for row in csv_stream.rows(report)
    )
    required = (("Title", "Name"), ("Title", "DetailedName"))
    yield from read_problems(found, _row, *required, latest=latest, first_seen=_FIRST_SEEN)


def _dated(cells: dict[str, Any]) -> dict[str, Any]:
    return cells | {_FIRST_SEEN: text(cells, "Created At") or text(cells, "FirstDetected")}


def _row(found: Record) -> Problem | None:
    row = found.value
    is_package = "DetailedName" in row
    status = text(row, "FindingStatus") if is_package else text(row, "Status")
    if status.lower() not in _OPEN:
        return None
    return ReadyProblem(_package(row) if is_package else _issue(row))


def _issue(row: dict[str, Any]) -> dict[str, Any]:
    subscription = text(row, "Subscription ID")
    name = text(row, "Resource Name")
    resource = Resource(
        id=text(row, "Resource external ID") or name or subscription or "resource",
        name=name,
        type=text(row, "Resource Type"),
        provider=text(row, "Resource Platform").lower(),
        account=one_line(subscription, 200),
        region=text(row, "Resource Region"),
        namespace=text(row, "Kubernetes Namespace"),
    )
    title = one_line(text(row, "Title"), 300)
    control = one_line(text(row, "Control ID"), 200)
    return ResourceFinding(
        scanner="Wiz",
        finding_type=FindingType.MISCONFIGURATION,
        title=title,
        severity=severities.from_word(text(row, "Severity")) or Severity.UNKNOWN,
        resource=resource,
        fingerprint=check_identity("wiz", control or title, resource),
        rule=control,
        rule_name=title,
        opening=text(row, "Description"),
        remediation=text(row, "Remediation Recommendation"),
        urls=[text(row, "Wiz URL"), text(row, "Cloud Provider URL")],
        cves=cves_in([title]),
        more={"external_id": one_line(text(row, "Issue ID"), 200)},
    ).record()


def _package(row: dict[str, Any]) -> dict[str, Any]:
    name = one_line(text(row, "Name"), 100)
    asset, kind = text(row, "AssetName"), text(row, "AssetType").lower()
    is_image = "image" in kind
    is_of_system = text(row, "DetectionMethod").lower() in ("os", "package", "kernel")
    is_host = is_of_system or bool(text(row, "OperatingSystem"))
    own_type = kind or ("host" if is_host else "cloud_resource")
    fixed = one_line(text(row, "FixedVersion"), 100)
    fields = VulnerablePackage(
        id=name,
        scanner="Wiz",
        holder=Holder(
            name=text(row, "ProviderUniqueId") or asset or "asset",
            resource_type=CONTAINER_IMAGE if is_image else one_line(own_type, 100),
        ),
        is_of_system=is_of_system,
        package=one_line(text(row, "DetailedName"), 300),
        severity=_severity(row),
        version=one_line(text(row, "Version"), 200),
        fixed_versions=[fixed] if fixed else [],
        path=one_line(text(row, "LocationPath"), 1_000),
        description=text(row, "CVEDescription") or text(row, "Description"),
        aliases=[*cves_in([name, text(row, "Link")]), *ghsas_in([name, text(row, "Link")])],
        cvss_score=number(row, "Score"),
        is_exploited=text(row, "HasCisaKevExploit").lower() == "true",
        urls=[text(row, "Link"), text(row, "WizURL")],
        advice=text(row, "Remediation") if fixed else "",
    ).record()
    cloud = {
        "provider": one_line(text(row, "CloudPlatform").lower(), 100),
        "account": one_line(text(row, "SubscriptionExternalId"), 200),
        "region": one_line(text(row, "AssetRegion"), 100),
    }
    fields["resource_name"] = one_line(asset, 500) or fields["resource_name"]
    fields["tags"] += tags(
        cloud_provider=cloud["provider"], account=cloud["account"], region=cloud["region"]
    )
    fields["attributes"] |= without_empty(
        {"cloud_resource": cloud, "external_id": one_line(text(row, "ID"), 200)}
    )
    return fields


def _severity(row: dict[str, Any]) -> Severity:
    """The vendor's knows the package; the CVSS score alone does not."""
    for column in ("Severity", "VendorSeverity", "CVSSSeverity"):
        if found := severities.from_word(text(row, column)):
            return found
    return Severity.UNKNOWN
