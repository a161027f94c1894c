"""Trivy JSON: schema 2 (images, file systems, repositories, SBOMs), cluster reports, and the
bare list of before 2021.

| in the report                     | finding type                     | resource      |
|-----------------------------------|----------------------------------|---------------|
| vulnerability of class `os-pkgs`  | host_and_container_vulnerability | image or host |
| vulnerability of any other class  | library_vulnerability            | image or file |
| misconfiguration of a file        | iac_misconfiguration             | file          |
| misconfiguration in a cluster     | misconfiguration                 | object        |
| secret                            | secret                           | file          |
| licence                           | – (not a security problem)       |               |

Only failed misconfigurations are read, and no vulnerability of status `not_affected`. Identity:
of packages see `packages`; a misconfiguration is its check and what it is about (object, file,
the resource within it); a secret is its rule, its file and the masked line. None holds a line
number. See docs/trivy.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats import severities
from findings.formats.evidence import Evidence
from findings.formats.identity import Occurrences, fingerprint
from findings.formats.normalised import Normalised, Rejected, normalise
from findings.formats.packages import Holder, VulnerablePackage
from findings.formats.stream import Outline, Record, RefusedReport, records
from findings.formats.values import (
    dig,
    number,
    one_line,
    repository_name,
    tags,
    text,
    texts,
    whole,
    without_empty,
)

NAME = "trivy"
LABEL = "Trivy JSON"

_TARGETS = (
    "",
    "/Results",
    "/Resources/*/Results",
    "/Vulnerabilities/*/Results",
    "/Misconfigurations/*/Results",
    "/Findings/*/Results",
)  # where lists of results are, by kind of report
_KINDS = ("Vulnerabilities", "Misconfigurations", "Secrets")
_ARTIFACT = ("ClusterName", "ArtifactName", "ArtifactType")
_CONTEXT = ("Target", "Class", "Type")
_OBJECT = ("Namespace", "Kind", "Name")
_SYSTEMS = frozenset(
    ("alma", "alpine", "amazon", "azurelinux", "cbl-mariner", "centos", "chainguard", "debian",
     "fedora", "opensuse", "oracle", "photon", "redhat", "rocky", "suse", "ubuntu", "wolfi")
)  # fmt: skip
_STARS = re.compile(r"\*{2,}")


def recognises(outline: Outline) -> bool:
    if outline.root == "list":
        first = outline.first.get("", frozenset())
        return "Target" in first and bool(first & {"Vulnerabilities", "Type", "Class"})
    if {"ClusterName"} <= outline.keys and outline.keys & {"Findings", "Resources", *_KINDS}:
        return True
    if not {"ArtifactName", "ArtifactType"} & outline.keys or "SchemaVersion" not in outline.keys:
        return False
    if (version := outline.scalars.get("SchemaVersion")) != 2:
        raise RefusedReport(f"This is Trivy schema {str(version)[:20]}; schema 2 is read.")
    return True


def scanner(_report: BinaryIO) -> str:
    return "Trivy"


def target(report: BinaryIO) -> str:
    """The image without its tag, the repository or directory, or the cluster."""
    said = {
        str(found.path[0]): text(found.value)
        for found in records(report, *(f"/{name}" for name in _ARTIFACT))
    }
    name = said.get("ClusterName") or said.get("ArtifactName", "")
    name = Holder(name=name, resource_type=said.get("ArtifactType", "")).lasting_name
    return "" if name in (".", "./") else name  # where Trivy ran: says nothing


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    context = _Context(report)
    occurrences = Occurrences()
    patterns = [f"{place}/*/{kind}/*" for place in _TARGETS for kind in _KINDS]
    for position, found in enumerate(records(report, *patterns)):
        if not isinstance(found.value, dict):
            yield Rejected(position, found.pointer, "Not an object", "A record is an object.")
            continue
        kind = found.path[-2]
        record = _READERS[str(kind)](found.value, context.target_of(found))
        if isinstance(record, str):
            yield Rejected(
                position, f"{found.pointer}/{record}", "Missing field", f"`{record}` is required."
            )
        elif record is not None:
            if kind != "Vulnerabilities":
                record["fingerprint"] = occurrences.name(record["fingerprint"])
            yield normalise(record, position=position, at=found.pointer, latest=latest)


class _Target:
    """One scanned thing inside the artifact, and the artifact."""

    def __init__(self, result: dict[str, str], artifact: dict[str, str], obj: dict[str, str]):
        self.file = result.get("Target", "")
        self.kind = result.get("Class", "")
        self.type = result.get("Type", "")
        self.is_image = artifact.get("ArtifactType", "") == CONTAINER_IMAGE
        self.is_repository = artifact.get("ArtifactType", "") == "repository"
        name = artifact.get("ArtifactName", "")
        self.artifact = repository_name(name) if self.is_repository else name
        self.object = "/".join(filter(None, (obj.get(name, "") for name in _OBJECT)))
        self.object_type = f"kubernetes_{obj.get('Kind', '').lower()}"
        self.namespace = obj.get("Namespace", "")

    @property
    def is_of_system(self) -> bool:
        return self.kind == "os-pkgs" or (not self.kind and self.type in _SYSTEMS)

    @property
    def repository(self) -> str:
        return self.artifact if self.is_repository else ""

    @property
    def image(self) -> str:
        return self.artifact if self.is_image else ""

    @property
    def place(self) -> str:
        """The file, with what it is in where that has a lasting name."""
        outer = self.artifact if self.is_repository else ""
        if self.is_image:
            outer = self.holder.lasting_name
        return "/".join(filter(None, (outer, self.file))) or self.artifact or "file"

    @property
    def holder(self) -> Holder:
        """What holds a package."""
        if self.is_image:
            return Holder(name=self.artifact, resource_type=CONTAINER_IMAGE)
        if self.is_of_system:
            # A cluster report and the bare list write the image here: "debian:12 (debian 12.5)".
            image = "" if self.artifact else self.file.partition(" (")[0]
            kind = CONTAINER_IMAGE if image else "host"
            return Holder(name=image or self.artifact or "host", resource_type=kind)
        if self.object:
            return Holder(name=self.object, resource_type=self.object_type)
        return Holder(name=self.place, resource_type="file")


class _Context:
    """What stands beside the records: read first, because JSON promises no order."""

    def __init__(self, report: BinaryIO) -> None:
        self._values: dict[tuple[str | int, ...], dict[str, str]] = {}
        scalars = [f"{place}/*/{name}" for place in _TARGETS for name in _CONTEXT]
        above = [f"{place.removesuffix('/Results')}/{name}"
                 for place in _TARGETS[2:] for name in _OBJECT]  # fmt: skip
        for found in records(report, "/ArtifactName", "/ArtifactType", *scalars, *above):
            beside = self._values.setdefault(found.path[:-1], {})
            beside[str(found.path[-1])] = one_line(text(found.value), 1_000)

    def target_of(self, found: Record) -> _Target:
        result = found.path[:-2]
        values = self._values
        return _Target(values.get(result, {}), values.get((), {}), values.get(result[:-2], {}))


def _vulnerability(item: dict[str, Any], target: _Target) -> dict[str, Any] | str | None:
    for required in ("VulnerabilityID", "PkgName"):
        if not text(item, required):
            return required
    if text(item, "Status") == "not_affected":
        return None
    score, vector = _cvss(item)
    vulnerable = VulnerablePackage(
        id=one_line(text(item, "VulnerabilityID"), 100),
        scanner="Trivy",
        holder=target.holder,
        is_of_system=target.is_of_system,
        package=one_line(text(item, "PkgName"), 300),
        severity=severities.from_word(text(item, "Severity")) or Severity.UNKNOWN,
        version=one_line(text(item, "InstalledVersion"), 200),
        fixed_versions=[
            each.strip() for each in text(item, "FixedVersion")[:500].split(",") if each.strip()
        ],
        ecosystem=target.type,
        path=text(item, "PkgPath") or ("" if target.is_of_system else target.file),
        purl=text(item, "PkgIdentifier", "PURL"),
        title=text(item, "Title"),
        description=text(item, "Description"),
        aliases=texts(item, "VendorIDs"),
        cwes=texts(item, "CweIDs"),
        cvss_score=score,
        cvss_vector=vector,
        urls=[text(item, "PrimaryURL"), *texts(item, "References")],
    )
    record = vulnerable.record()
    record["tags"] += tags(repo=target.repository, kube_namespace=target.namespace)
    return record


def _cvss(item: dict[str, Any]) -> tuple[float | None, str]:
    """Score and vector by the source that Trivy took the severity from, else the first."""
    by_source = dig(item, "CVSS")
    if not isinstance(by_source, dict):
        return None, ""
    wanted = text(item, "SeveritySource")
    for source in sorted(by_source, key=lambda name: (name != wanted, name != "nvd")):
        for version in ("V40", "V3", "V2"):
            score = number(by_source, source, f"{version}Score")
            if score is not None:
                return score, one_line(text(by_source, source, f"{version}Vector"), 300)
    return None, ""


def _misconfiguration(item: dict[str, Any], target: _Target) -> dict[str, Any] | str | None:
    if text(item, "Status") not in ("FAIL", ""):
        return None
    check = text(item, "AVDID") or text(item, "ID")
    if not check:
        return "ID"
    finding_type = FindingType.MISCONFIGURATION if target.object else FindingType.IAC
    resource = target.object or target.place
    message, cause = text(item, "Message"), text(item, "CauseMetadata", "Resource")
    evidence = Evidence(text(item, "Description"))
    evidence.section("Seen", message)
    evidence.section("Remediation", text(item, "Resolution"))
    evidence.links([text(item, "PrimaryURL"), *texts(item, "References")])
    return {
        "finding_type": finding_type.value,
        "title": one_line(text(item, "Title") or message or check, 300),
        "severity": (severities.from_word(text(item, "Severity")) or Severity.UNKNOWN).value,
        "resource_id": resource,
        "resource_name": resource,
        "resource_type": one_line(target.object_type, 100) if target.object else "file",
        "fingerprint": fingerprint(finding_type.value, check, resource, cause),
        "description": evidence.markdown,
        "tags": tags(
            scanner="trivy",
            rule=check,
            iac=target.type,
            repo=target.repository,
            kube_namespace=target.namespace,
        ),
        "attributes": _check_attributes(item, target, check),
    }


def _check_attributes(item: dict[str, Any], target: _Target, check: str) -> dict[str, Any]:
    cause = dig(item, "CauseMetadata")
    return without_empty(
        {
            "rule": {
                "id": check,
                "name": one_line(text(item, "Title"), 300),
                "url": one_line(text(item, "PrimaryURL"), 1_000),
            },
            "iac_resource": {
                "type": target.type,
                "provider": one_line(text(cause, "Provider"), 100),
                "name": one_line(text(cause, "Resource"), 500),
            },
            "code_location": {
                "file": "" if target.object else target.file,
                "line": whole(cause, "StartLine"),
            },
            "k8s": {"object": target.object},
            "remediation": {"recommended": one_line(text(item, "Resolution"), 1_000)},
            "scanner": {"name": "Trivy"},
        }
    )


def _secret(item: dict[str, Any], target: _Target) -> dict[str, Any] | str | None:
    """Trivy writes `Match` with stars for the secret; without them it is not shown."""
    rule = text(item, "RuleID")
    if not rule:
        return "RuleID"
    match = text(item, "Match")
    shown = match if _STARS.search(match) else ""
    title = text(item, "Title") or rule
    evidence = Evidence(f"{title} in `{target.file}`.")
    if shown:
        evidence.code("Masked line", shown)
    return {
        "finding_type": FindingType.SECRET.value,
        "title": one_line(f"{title} in {target.file}", 300),
        "severity": (severities.from_word(text(item, "Severity")) or Severity.UNKNOWN).value,
        "resource_id": target.place,
        "resource_name": target.place,
        "resource_type": "file",
        "fingerprint": fingerprint("secret", rule, target.place, match),
        "description": evidence.markdown,
        "tags": tags(scanner="trivy", rule=rule, image=target.image, repo=target.repository),
        "attributes": without_empty(
            {
                "secret": {"type": one_line(text(item, "Category"), 200)},
                "rule": {"id": rule, "name": one_line(title, 300)},
                "code_location": {"file": target.file, "line": whole(item, "StartLine")},
                "scanner": {"name": "Trivy"},
            }
        ),
    }


_READERS = {
    "Vulnerabilities": _vulnerability,
    "Misconfigurations": _misconfiguration,
    "Secrets": _secret,
}
