"""AWS Security Hub findings (ASFF 2018-10-08): of Security Hub's own controls, GuardDuty,
Inspector, Macie, IAM Access Analyzer, Config and every other product that sends them there.

Read from `{"Findings": […]}` (the AWS CLI), `{"findings": […]}`, an event of EventBridge
(`{"detail": {"findings": […]}}`), a bare list, a single finding, and events or findings one
after another, as Firehose writes them. See docs/asff.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.normalised import EVENTS, Normalised, Rejected, Unscanned, normalise_mapped
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import only
from findings.formats.shapes.resources import Resource, ResourceFinding
from findings.formats.streams import json_lines
from findings.formats.streams.json_outline import json_outline
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.fields import (
    clip,
    dig,
    moment,
    number,
    objects,
    one_line,
    tags,
    text,
    texts,
)
from findings.formats.values.identity import Firsts, fingerprint

NAME = "asff"
LABEL = "AWS Security Hub (ASFF)"

_VERSION = "2018-10-08"
_OURS = frozenset({"SchemaVersion", "ProductArn", "GeneratorId"})
_EVENTS = "Security Hub Findings"  # beginning of the detail-type of EventBridge
_PLACES = ("/Findings/*", "/findings/*", "/detail/findings/*", "/*")
_CLOSED = frozenset({"RESOLVED", "SUPPRESSED"})
_PASSED = frozenset({"PASSED", "NOT_AVAILABLE"})
_CVE = re.compile(r"^((?:CVE|GHSA)-[\w-]+) - (.+)$")  # how Inspector writes titles
_BANDS = (
    (90, Severity.CRITICAL),
    (70, Severity.HIGH),
    (40, Severity.MEDIUM),
    (1, Severity.LOW),
    (0, Severity.INFO),
)  # Severity.Normalized, by the ASFF reference
_ECOSYSTEMS = {"os": "", "nodepkg": "node-pkg", "pythonpkg": "python-pkg"}
_TYPES: tuple[tuple[str, FindingType], ...] = (
    ("TTPs", FindingType.WORKLOAD_ACTIVITY),
    ("Effects", FindingType.WORKLOAD_ACTIVITY),
    ("Unusual Behaviors", FindingType.WORKLOAD_ACTIVITY),
    ("Software and Configuration Checks/Vulnerabilities", FindingType.HOST_AND_CONTAINER),
)  # by the beginning of a finding's `Types`; any other: misconfiguration

_SENSITIVE = "Sensitive Data Identifications"  # beginning of the types that name what was found


def recognises(outline: Outline) -> bool:
    if outline.root == "lines":
        return any(outline.kinds >= keys for keys in (_OURS, {"detail-type", "detail"}))
    if outline.root == "list":
        return outline.first.get("", frozenset()) >= _OURS
    if outline.keys >= _OURS:
        return True
    if str(outline.scalars.get("detail-type", "")).startswith(_EVENTS):
        return "detail" in outline.keys
    if outline.keys <= {"Findings", "NextToken"} and outline.first.get("Findings") == frozenset():
        return True
    first = outline.first.get("Findings") or outline.first.get("findings") or frozenset()
    return first >= _OURS


def scanner(report: BinaryIO) -> str:
    """The product, if all findings are of one."""
    return only(_product(found.value) for found in _findings(report)) or "AWS Security Hub"


def target(report: BinaryIO) -> str:
    """The account and region, if all findings are of one."""
    return only(filter(None, (_account(found.value) for found in _findings(report))))


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """Events and single findings are sent as they happen."""
    if json_outline(report).kinds & {"SchemaVersion", "detail-type"}:
        yield EVENTS


def _account(item: Any) -> str:
    account = text(item, "AwsAccountId")
    return f"{account} {_region(item)}".strip() if account else ""


def _region(item: Any) -> str:
    """Where Security Hub has the finding: in the ARN of the product."""
    arn = text(item, "ProductArn").split(":")
    return arn[3] if len(arn) > 3 else text(item, "Region")


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    firsts = Firsts()
    for position, found in enumerate(_findings(report)):
        if problem := _problem(found):
            yield Rejected(position, *problem)
        elif _is_open(found.value):
            record = _record(found.value, latest)
            if firsts.has(record["fingerprint"]):
                yield normalise_mapped(record, position=position, at=found.pointer, latest=latest)


def _findings(report: BinaryIO) -> Iterator[Record]:
    shape = json_outline(report)
    if shape.root == "lines":
        return _in_documents(report)
    if "SchemaVersion" in shape.keys:
        return records(report, "")
    return records(report, *_PLACES)


def _in_documents(report: BinaryIO) -> Iterator[Record]:
    """Of events, pages or findings one after another."""
    for document in json_lines.documents(report):
        for steps in (("detail", "findings"), ("Findings",), ("findings",)):
            found = dig(document.value, *steps)
            if isinstance(found, list):
                for index, item in enumerate(found):
                    yield Record((*document.path, *steps, index), item)
                break
        else:
            yield document


def _problem(found: Record) -> tuple[str, str, str] | None:
    if not isinstance(found.value, dict):
        return found.pointer, "Not an object", "A finding is an object."
    version = text(found.value, "SchemaVersion")
    if version not in ("", _VERSION):
        detail = f"This is ASFF {version[:20]}; {_VERSION} is read."
        return f"{found.pointer}/SchemaVersion", "Unknown version", detail
    for required in ("Id", "Title"):
        if not text(found.value, required):
            return f"{found.pointer}/{required}", "Missing field", f"`{required}` is required."
    return None


def _is_open(item: dict[str, Any]) -> bool:
    fields = dig(item, "ProductFields")
    inspector = text(fields, "aws/inspector/FindingStatus").upper() or "ACTIVE"
    return (
        text(item, "RecordState").upper() != "ARCHIVED"
        and text(item, "Workflow", "Status").upper() not in _CLOSED
        and text(item, "Compliance", "Status").upper() not in _PASSED
        and text(fields, "aws/guardduty/service/archived").lower() != "true"
        and inspector == "ACTIVE"
    )


def _product(item: Any) -> str:
    """`GuardDuty`, from the name, else from the ARN that ends in `product/aws/guardduty`."""
    name = text(item, "ProductName") or text(item, "ProductFields", "aws/securityhub/ProductName")
    return one_line(name or text(item, "ProductArn").rpartition("/")[2] or "Security Hub", 100)


def _severity(item: dict[str, Any]) -> Severity:
    for place in (("Severity",), ("FindingProviderFields", "Severity")):
        if found := severities.from_word(text(item, *place, "Label")):
            return found
    score = number(item, "Severity", "Normalized")
    bands = (band for bottom, band in _BANDS if score is not None and score >= bottom)
    return next(bands, Severity.UNKNOWN)


def _type(item: dict[str, Any]) -> FindingType:
    if "access-analyzer" in text(item, "ProductArn"):
        return FindingType.IDENTITY_RISK
    for written in texts(item, "Types"):
        for beginning, found in _TYPES:
            if written.startswith(beginning):
                return found
    return FindingType.MISCONFIGURATION


def _record(item: dict[str, Any], latest: datetime) -> dict[str, Any]:
    finding_type = _type(item)
    if finding_type is FindingType.HOST_AND_CONTAINER and (package := _package(item)):
        record = package.record()
        record["tags"] += _cloud_tags(item)
        record["first_seen_at"] = _first_seen(item, latest)
        return record
    return _resource_finding(item, finding_type, latest).record()


def _first_seen(item: dict[str, Any], latest: datetime) -> str | None:
    return moment(item, "FirstObservedAt", latest=latest) or moment(
        item, "CreatedAt", latest=latest
    )


def _resource_finding(
    item: dict[str, Any], finding_type: FindingType, latest: datetime
) -> ResourceFinding:
    fields = dig(item, "ProductFields")
    control = text(item, "Compliance", "SecurityControlId") or text(fields, "ControlId")
    generator = text(item, "GeneratorId")
    advice = dig(item, "Remediation", "Recommendation")
    standards = texts(item, "Compliance", "RelatedRequirements")
    behaviour = next(iter(texts(item, "Types")), "").rpartition("/")[2]
    is_activity = finding_type is FindingType.WORKLOAD_ACTIVITY
    return ResourceFinding(
        scanner=_product(item),
        finding_type=finding_type,
        title=text(item, "Title"),
        severity=_severity(item),
        resource=_resource(item),
        fingerprint=fingerprint("asff", text(item, "ProductArn"), text(item, "Id")),
        rule=one_line(control or (behaviour if is_activity else generator), 500),
        rule_name=text(item, "Title"),
        called=[each for each in texts(item, "Types") if each.startswith(_SENSITIVE)],
        opening=text(item, "Description"),
        remediation=_advice(text(advice, "Text")),
        urls=[text(advice, "Url"), text(item, "SourceUrl")],
        compliance=standards,
        others=[text(each, "Id") for each in objects(item, "Resources")[1:]],
        first_seen_at=_first_seen(item, latest),
        more={"external_id": clip(text(item, "Id"), 500), "types": texts(item, "Types")[:10]},
    )


def _advice(advice: str) -> str:
    return "" if advice.lower() == "none provided" else advice


def _resource(item: dict[str, Any]) -> Resource:
    first = dig(item, "Resources", 0)
    account = text(item, "AwsAccountId")
    name = text(first, "Tags", "Name") or text(first, "Id").rpartition("/")[2]
    return Resource(
        id=text(first, "Id") or account or text(item, "Id"),
        name=name,
        type=text(first, "Type"),
        provider=text(first, "Partition") or "aws",
        account=account,
        region=text(first, "Region") or text(item, "Region"),
    )


def _cloud_tags(item: dict[str, Any]) -> list[str]:
    resource = _resource(item)
    return tags(cloud_provider=resource.provider, account=resource.account, region=resource.region)


def _package(item: dict[str, Any]) -> VulnerablePackage | None:
    """A finding of Inspector: one vulnerability, of which the first package stands for all."""
    vulnerability = dig(item, "Vulnerabilities", 0)
    packages = objects(vulnerability, "VulnerablePackages")
    titled = _CVE.match(text(item, "Title"))
    id_ = text(vulnerability, "Id") or (titled[1] if titled else "")
    name = text(packages, 0, "Name") or (titled[2] if titled else "")
    if not id_ or not name:
        return None
    fixed = dict.fromkeys(text(each, "FixedInVersion") for each in packages)
    score = objects(vulnerability, "Cvss")
    manager = text(packages, 0, "PackageManager").lower()
    return VulnerablePackage(
        id=one_line(id_, 100),
        scanner=_product(item),
        holder=_holder(item),
        is_of_system=manager in ("", "os"),
        package=one_line(name, 300),
        severity=_severity(item),
        version=one_line(text(packages, 0, "Version"), 200),
        fixed_versions=[one_line(each, 100) for each in fixed if each and each != "NotAvailable"],
        ecosystem=one_line(_ECOSYSTEMS.get(manager, manager), 100),
        path=text(packages, 0, "FilePath"),
        description=text(item, "Description"),
        aliases=[one_line(each, 100) for each in texts(vulnerability, "RelatedVulnerabilities")],
        cvss_score=number(score, 0, "BaseScore"),
        cvss_vector=one_line(text(score, 0, "BaseVector"), 300),
        epss=number(vulnerability, "EpssScore"),
        urls=[text(vulnerability, "Vendor", "Url"), *texts(vulnerability, "ReferenceUrls")],
        advice=_advice(text(item, "Remediation", "Recommendation", "Text")),
    )


def _holder(item: dict[str, Any]) -> Holder:
    """An image by its repository and tag, anything else by its ARN."""
    resource = dig(item, "Resources", 0)
    kind = text(resource, "Type")
    if kind != "AwsEcrContainerImage":
        name = text(resource, "Id") or text(item, "AwsAccountId") or "host"
        is_host = kind in ("", "AwsEc2Instance", "Other")
        return Holder(name=name, resource_type="host" if is_host else one_line(kind, 100))
    image = dig(resource, "Details", "AwsEcrContainerImage")
    repository = text(image, "RepositoryName")
    registry, tag = text(image, "RegistryId"), text(image, "ImageTags", 0)
    path = "/".join(filter(None, (registry, repository)))
    name = f"{path}:{tag}" if repository and tag else path
    if not repository:  # arn:aws:ecr:<region>:<account>:repository/<name>/sha256:<digest>
        name = text(resource, "Id").partition("/sha256:")[0].partition("repository/")[2]
    return Holder(name=name or text(resource, "Id") or "image", resource_type=CONTAINER_IMAGE)
