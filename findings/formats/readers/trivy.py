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
the resource within it); a secret is its rule, its file and the masked line. A file is named with
the directory, repository or image that was scanned. None holds a line number. See docs/trivy.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, Unscanned, normalise_mapped
from findings.formats.shapes.evidence import Evidence
from findings.formats.shapes.merging import FoundPackage, Outcome, merge_packages
from findings.formats.shapes.packages import ECOSYSTEMS, Holder, VulnerablePackage
from findings.formats.streams.records import Outline, Record, RefusedReport, records
from findings.formats.values import severities
from findings.formats.values.fields import (
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
from findings.formats.values.identity import Occurrences, fingerprint
from findings.formats.values.paths import below, scanned_root
from findings.formats.values.sentences import advice_line, plain, title_from, title_word

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
_OBJECTS = [place.removesuffix("/Results") for place in _TARGETS[2:]]
_OF_OBJECT = (*_OBJECT, "Error")
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


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """The objects of a cluster that could not be scanned."""
    objects: dict[tuple[str | int, ...], dict[str, str]] = {}
    for found in records(report, *(f"{at}/{name}" for at in _OBJECTS for name in _OF_OBJECT)):
        objects.setdefault(found.path[:-1], {})[str(found.path[-1])] = text(found.value)
    for each in objects.values():
        if error := each.get("Error"):
            yield Unscanned(_name_of(each), error, "object")


def _name_of(obj: dict[str, str]) -> str:
    return "/".join(filter(None, (obj.get(name, "") for name in _OBJECT)))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    yield from merge_packages(_outcomes(report, latest), latest=latest)


def _outcomes(report: BinaryIO, latest: datetime) -> Iterator[Outcome]:
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
        elif isinstance(record, VulnerablePackage):
            yield FoundPackage(record, position, found.pointer)
        elif record is not None and occurrences.tell_apart(record, found.value):
            yield normalise_mapped(record, position=position, at=found.pointer, latest=latest)


class _Target:
    """One scanned thing inside the artifact, and the artifact."""

    def __init__(self, result: dict[str, str], artifact: dict[str, str], obj: dict[str, str]):
        self.former_file = result.get("Target", "")
        self.kind = result.get("Class", "")
        self.type = result.get("Type", "")
        self.is_image = artifact.get("ArtifactType", "") == CONTAINER_IMAGE
        self.is_repository = artifact.get("ArtifactType", "") == "repository"
        name = artifact.get("ArtifactName", "")
        self.artifact = repository_name(name) if self.is_repository else name
        is_kind = self.kind in ("lang-pkgs", "") and self.former_file in ECOSYSTEMS
        self.file = "" if is_kind else self.former_file
        self._is_named = self.is_image or self.is_repository
        self._outer = self._outer_name()
        self.object = _name_of(obj)
        self.object_type = f"kubernetes_{obj.get('Kind', '').lower()}"
        self.namespace = obj.get("Namespace", "")

    def _outer_name(self) -> str:
        """Of what a file is in, where it lasts: an image, a repository, a directory."""
        if self.is_image:
            return Holder(name=self.artifact, resource_type=CONTAINER_IMAGE).lasting_name
        return self.artifact if self.is_repository else scanned_root(self.artifact)

    @property
    def is_of_system(self) -> bool:
        return self.kind == "os-pkgs" or (not self.kind and self.type in _SYSTEMS)

    @property
    def repository(self) -> str:
        return self.artifact if self.is_repository else ""

    @property
    def image(self) -> str:
        return self.artifact if self.is_image else ""

    def path_of(self, file: str) -> str:
        """The file as it is found from where the scan began."""
        return file if self._is_named else below(self._outer, file)

    def place_of(self, file: str) -> str:
        """The file with what it is in."""
        if self._is_named:
            return "/".join(filter(None, (self._outer, file)))
        return self.path_of(file) or "file"

    @property
    def place(self) -> str:
        return self.place_of(self.file)

    @property
    def former_place(self) -> str:
        """Of recipe 1: a directory was no part of it, and "Java" was a file."""
        outer = self._outer if self._is_named else ""
        return "/".join(filter(None, (outer, self.former_file))) or self.artifact or "file"

    def former_holder(self, holder: Holder) -> str:
        is_file = not (self.is_image or self.is_of_system or self.object)
        return self.former_place if is_file else holder.lasting_name

    def holder(self, path: str) -> Holder:
        """What holds a package that is found at the path."""
        if self.is_image:
            return Holder(name=self.artifact, resource_type=CONTAINER_IMAGE)
        if self.is_of_system:
            # A cluster report and the bare list write the image here: "debian:12 (debian 12.5)".
            image = "" if self.artifact else self.file.partition(" (")[0]
            kind = CONTAINER_IMAGE if image else "host"
            return Holder(name=image or self.artifact or "host", resource_type=kind)
        if self.object:
            return Holder(name=self.object, resource_type=self.object_type)
        return Holder(name=self.place_of(self.file or path), resource_type="file")


class _Context:
    """What stands beside the records: read first, because JSON promises no order."""

    def __init__(self, report: BinaryIO) -> None:
        self._values: dict[tuple[str | int, ...], dict[str, str]] = {}
        scalars = [f"{place}/*/{name}" for place in _TARGETS for name in _CONTEXT]
        above = [f"{place}/{name}" for place in _OBJECTS for name in _OBJECT]
        for found in records(report, "/ArtifactName", "/ArtifactType", *scalars, *above):
            beside = self._values.setdefault(found.path[:-1], {})
            beside[str(found.path[-1])] = one_line(text(found.value), 1_000)

    def target_of(self, found: Record) -> _Target:
        result = found.path[:-2]
        values = self._values
        return _Target(values.get(result, {}), values.get((), {}), values.get(result[:-2], {}))


def _vulnerability(item: dict[str, Any], target: _Target) -> VulnerablePackage | str | None:
    for required in ("VulnerabilityID", "PkgName"):
        if not text(item, required):
            return required
    if text(item, "Status") == "not_affected":
        return None
    score, vector = _cvss(item)
    path = text(item, "PkgPath")
    holder = target.holder(path)
    is_in_file = not target.is_of_system
    return VulnerablePackage(
        id=one_line(text(item, "VulnerabilityID"), 100),
        scanner="Trivy",
        holder=holder,
        is_of_system=target.is_of_system,
        package=one_line(text(item, "PkgName"), 300),
        severity=severities.from_word(text(item, "Severity")) or Severity.UNKNOWN,
        version=one_line(text(item, "InstalledVersion"), 200),
        fixed_versions=[
            each.strip() for each in text(item, "FixedVersion")[:500].split(",") if each.strip()
        ],
        ecosystem=target.type,
        path=target.path_of(path or target.file) if is_in_file else path,
        purl=text(item, "PkgIdentifier", "PURL"),
        title=text(item, "Title"),
        description=text(item, "Description"),
        aliases=texts(item, "VendorIDs"),
        cwes=texts(item, "CweIDs"),
        cvss_score=score,
        cvss_vector=vector,
        urls=[text(item, "PrimaryURL"), *texts(item, "References")],
        former_holder=target.former_holder(holder),
        former_path=path or (target.former_file if is_in_file else ""),
        more_tags=tags(repo=target.repository, kube_namespace=target.namespace),
    )


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
    former = target.object or target.former_place
    message, cause = text(item, "Message"), text(item, "CauseMetadata", "Resource")
    evidence = Evidence(plain(text(item, "Description")))
    evidence.section("Seen", plain(message))
    evidence.section("Remediation", plain(text(item, "Resolution")))
    evidence.links([text(item, "PrimaryURL"), *texts(item, "References")])
    return {
        "finding_type": finding_type.value,
        "title": one_line(_title(text(item, "Title"), message, check), 300),
        "severity": (severities.from_word(text(item, "Severity")) or Severity.UNKNOWN).value,
        "resource_id": resource,
        "resource_name": resource,
        "resource_type": one_line(target.object_type, 100) if target.object else "file",
        "fingerprint": fingerprint(finding_type.value, check, resource, cause),
        "former_fingerprints": (fingerprint(finding_type.value, check, former, cause),),
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


def _title(*said: str) -> str:
    return title_from(said) or title_word(said)


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
            "remediation": {"recommended": advice_line(plain(text(item, "Resolution")))},
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
        "former_fingerprints": (fingerprint("secret", rule, target.former_place, match),),
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
