"""Reports of the Trivy Operator, as `kubectl get … -o json` prints them.
Documentation: docs/trivy_operator.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.found_secrets import FoundSecret
from findings.formats.shapes.packages import Holder, VulnerablePackage, is_system_purl
from findings.formats.shapes.problems import Problem, ReadyProblem, read_problems
from findings.formats.shapes.resources import Resource, ResourceFinding, check_identity
from findings.formats.streams.context import context
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.fields import (
    dig,
    number,
    one_line,
    tags,
    text,
    texts,
    without_empty,
)

NAME = "trivy-operator"
LABEL = "Trivy Operator reports"

_API = "aquasecurity.github.io/"
_OURS = frozenset({"apiVersion", "kind", "metadata", "report"})
_ITEMS = ("", "/items/*", "/*")
_KINDS = ("vulnerabilities", "checks", "secrets")
_LABEL = "trivy-operator."


def recognises(outline: Outline) -> bool:
    if outline.root == "list":
        return outline.first.get("", frozenset()) >= _OURS
    if outline.root != "object" or "apiVersion" not in outline.keys:
        return False
    is_ours = str(outline.scalars.get("apiVersion")).startswith(_API)
    if is_ours and "report" in outline.keys:
        return True
    items = outline.first.get("items")
    return items is not None and (items >= _OURS or (is_ours and not items))


def scanner(_report: BinaryIO) -> str:
    return "Trivy"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    reader = _Reader(report)
    places = (f"{item}/report/{kind}/*" for item in _ITEMS for kind in _KINDS)
    required = ("vulnerabilityID", "checkID", "ruleID")
    yield from read_problems(records(report, *places), reader.problem, required, latest=latest)


class _Reader:
    """What stands around the records: the object and the image that a report is about."""

    def __init__(self, report: BinaryIO) -> None:
        about = ("metadata/labels", "metadata/namespace", "metadata/name")
        self._about = context(report, *(f"{item}/{each}" for item in _ITEMS for each in about))
        of_report = ("artifact", "registry", "os")
        self._of_report = context(
            report, *(f"{item}/report/{each}" for item in _ITEMS for each in of_report)
        )

    def problem(self, found: Record) -> Problem | None:
        item = found.path[: found.path.index("report")]
        about: dict[str, Any] = self._about.get((*item, "metadata"), {})
        resource = _object(about)
        of_report: dict[str, Any] = self._of_report.get((*item, "report"), {})
        match found.path[-2]:
            case "vulnerabilities":
                container = text(about, "labels", f"{_LABEL}container.name")
                return ReadyProblem(_package(found.value, of_report, resource, container))
            case "checks":
                return _check(found.value, resource)
        return _secret(found.value, _image(of_report), resource)


def _object(metadata: dict[str, Any]) -> Resource:
    """The labels name the object; the report's own name holds a hash of its template."""
    labels = metadata.get("labels")
    kind = text(labels, f"{_LABEL}resource.kind")
    name = text(labels, f"{_LABEL}resource.name") or text(metadata, "name")
    namespace = text(labels, f"{_LABEL}resource.namespace") or text(metadata, "namespace")
    if kind == "ReplicaSet":  # a new one for each template: what stays is its deployment
        name, kind = _without_hash(name, text(labels, "pod-template-hash")), "Deployment"
    place = "/".join(filter(None, (namespace, kind, name)))
    return Resource(
        id=place or "cluster",
        name=name,
        type=f"kubernetes_{kind.lower()}" if kind else "kubernetes_object",
        namespace=namespace,
    )


def _without_hash(name: str, template: str) -> str:
    if template:
        return name.removesuffix(f"-{template}")
    stem, _, last = name.rpartition("-")
    is_hash = 8 <= len(last) <= 10 and last.isalnum() and not last.isalpha()
    return stem if stem and is_hash else name


def _image(of_report: dict[str, Any]) -> str:
    server = text(of_report, "registry", "server")
    repository = text(of_report, "artifact", "repository")
    tag = text(of_report, "artifact", "tag")
    name = "/".join(filter(None, (server, repository))) if repository else ""
    return one_line(f"{name}:{tag}" if name and tag else name, 500)


def _package(
    item: dict[str, Any], of_report: dict[str, Any], resource: Resource, container: str
) -> dict[str, Any]:
    image = _image(of_report)
    kind = text(item, "packageType")
    purl = text(item, "packagePURL")
    has_class = text(item, "class")
    is_of_system = has_class == "os-pkgs" or is_system_purl(purl)
    is_of_system = is_of_system or not (has_class or kind or purl)
    fixed = one_line(text(item, "fixedVersion"), 100)
    holder = Holder(name=image, resource_type=CONTAINER_IMAGE)
    if not image:
        holder = Holder(name=resource.id, resource_type=resource.type)
    package = one_line(text(item, "resource"), 300) or "package"
    fields = VulnerablePackage(
        id=one_line(text(item, "vulnerabilityID"), 100),
        scanner="Trivy",
        holder=holder,
        is_of_system=is_of_system,
        package=package,
        severity=severities.from_word(text(item, "severity")) or Severity.UNKNOWN,
        version=one_line(text(item, "installedVersion"), 200),
        fixed_versions=[each.strip() for each in fixed.split(",") if each.strip()],
        ecosystem=one_line(kind or text(of_report, "os", "family"), 100),
        path="" if is_of_system else one_line(text(item, "packagePath"), 1_000),
        purl=purl,
        title=_without_prefix(text(item, "title"), package),
        description=text(item, "description"),
        cvss_score=number(item, "score"),
        urls=[text(item, "primaryLink"), *texts(item, "links")],
    ).record()
    fields["tags"] += tags(kube_namespace=resource.namespace)
    fields["attributes"] |= without_empty(
        {
            "k8s": {
                "namespace": resource.namespace,
                "object": one_line(resource.id, 500),
                "container": one_line(container, 200),
            }
        }
    )
    return fields


def _without_prefix(title: str, package: str) -> str:
    """Trivy's titles begin with the package: "openssl: a flaw"."""
    return title.removeprefix(f"{package}: ")


def _check(item: dict[str, Any], resource: Resource) -> ReadyProblem | None:
    if dig(item, "success") is True:
        return None
    rule = one_line(text(item, "checkID"), 100)
    messages = list(dict.fromkeys(texts(item, "messages")))
    return ReadyProblem(
        ResourceFinding(
            scanner="Trivy",
            finding_type=FindingType.MISCONFIGURATION,
            title=text(item, "title") or rule,
            severity=severities.from_word(text(item, "severity")) or Severity.UNKNOWN,
            resource=resource,
            fingerprint=check_identity("trivy operator", rule, resource),
            rule=rule,
            rule_name=text(item, "title"),
            opening=text(item, "description"),
            seen="\n".join(messages[:20]),
            remediation=text(item, "remediation"),
            more_tags=tags(category=text(item, "category")),
        ).record()
    )


def _secret(item: dict[str, Any], image: str, resource: Resource) -> FoundSecret:
    """What matched is shown by Trivy with stars in it; it is not taken all the same."""
    return FoundSecret(
        scanner="Trivy",
        rule=one_line(text(item, "ruleID"), 200),
        known_by=text(item, "match") or "match",
        name=text(item, "title"),
        kind=text(item, "category"),
        severity=severities.from_word(text(item, "severity")),
        file=one_line(text(item, "target"), 1_000),
        image=image or resource.id,
    )
