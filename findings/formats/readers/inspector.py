"""Amazon Inspector 2 JSON (`aws inspector2 list-findings`). Documentation: docs/inspector.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import CONTAINER_IMAGE, FindingType, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.packages import Holder, VulnerablePackage
from findings.formats.shapes.problems import Problem, ReadyProblem, only, read_problems
from findings.formats.shapes.resources import Resource, ResourceFinding
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.advisories import cves_in, cwes_in
from findings.formats.values.fields import (
    dig,
    number,
    objects,
    one_line,
    tags,
    text,
    texts,
    whole,
    without_empty,
)
from findings.formats.values.identity import fingerprint
from findings.formats.values.purls import purl

NAME = "inspector"
LABEL = "Amazon Inspector JSON"

_OURS = frozenset({"findingArn", "awsAccountId", "type"})
_PLACES = ("/findings/*", "/*")
_IMAGE = "AWS_ECR_CONTAINER_IMAGE"
_TYPES = {
    "AWS_EC2_INSTANCE": "host",
    _IMAGE: CONTAINER_IMAGE,
    "AWS_LAMBDA_FUNCTION": "aws_lambda_function",
    "AWS_ECR_REPOSITORY": "aws_ecr_repository",
    "CODE_REPOSITORY": "code_repository",
}
_ECOSYSTEMS = {
    "PYTHONPKG": "python-pkg", "NODEPKG": "node-pkg", "DOTNET_CORE": "dotnet-core", "PIP": "pip",
}  # fmt: skip
_PURLS = {
    "PYTHONPKG": "pip", "NODEPKG": "npm", "DOTNET_CORE": "nuget", "PIPENV": "pip", "JAR": "maven",
    "POM": "maven", "BUNDLER": "gem", "GEMSPEC": "gem", "GOBINARY": "go", "GOMOD": "go",
}  # fmt: skip
_NO_FIX = frozenset({"", "notavailable", "none"})
_NO_ADVICE = frozenset({"none provided", "n/a"})


def recognises(outline: Outline) -> bool:
    lists = {"object": "findings", "list": ""}
    return outline.first.get(lists.get(outline.root, "-"), frozenset()) >= _OURS


def scanner(_report: BinaryIO) -> str:
    return "Inspector"  # as in Security Hub


def target(report: BinaryIO) -> str:
    """The account, if all findings are of one."""
    places = (f"{place}/awsAccountId" for place in _PLACES)
    return only(filter(None, (text(found.value) for found in records(report, *places))))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    found = (each for one in records(report, *_PLACES) for each in _each_package(one))
    yield from read_problems(
        found, _problem, "findingArn", "title", latest=latest, first_seen="firstObservedAt"
    )


def _each_package(found: Record) -> Iterator[Record]:
    """A finding about several packages once for each of them: each has a fix of its own."""
    details = dig(found.value, "packageVulnerabilityDetails")
    packages = objects(details, "vulnerablePackages")
    for index, package in enumerate(packages):
        path = (*found.path, "packageVulnerabilityDetails", "vulnerablePackages", index)
        one = {**details, "vulnerablePackages": [package]}
        yield Record(path, {**found.value, "packageVulnerabilityDetails": one})
    if not packages:
        yield found


def _problem(found: Record) -> Problem | None:
    item = found.value
    if text(item, "status").upper() in ("CLOSED", "SUPPRESSED"):
        return None
    resource = _resource(item)
    if text(item, "packageVulnerabilityDetails", "vulnerablePackages", 0, "name"):
        fields = _package(item, resource).record()
    elif isinstance(dig(item, "codeVulnerabilityDetails"), dict):
        fields = _code(item, resource).record()
    else:
        return ReadyProblem(_other(item, resource).record())
    cloud = {"provider": "aws", "account": resource.account, "region": resource.region}
    fields["tags"] += tags(cloud_provider="aws", account=resource.account, region=resource.region)
    fields["attributes"] |= without_empty({"cloud_resource": cloud} | _more(item))
    return ReadyProblem(fields)


def _resource(item: dict[str, Any]) -> Resource:
    first = dig(item, "resources", 0)
    kind, id_ = text(first, "type"), one_line(text(first, "id"), 1_000)
    name = _image_name(item, id_) if kind == _IMAGE else id_
    if kind == "AWS_LAMBDA_FUNCTION":
        name = ":".join(id_.split(":")[:7])  # without the version
    return Resource(
        id=name or id_ or "account",
        name=text(first, "details", "awsLambdaFunction", "functionName"),
        type=_TYPES.get(kind, kind.lower()),
        provider="aws",
        account=one_line(text(item, "awsAccountId"), 50),
        region=one_line(text(first, "region"), 50),
    )


def _image_name(item: dict[str, Any], arn: str) -> str:
    """`123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1.2`."""
    details = dig(item, "resources", 0, "details", "awsEcrContainerImage")
    region = text(item, "resources", 0, "region")
    account = text(details, "registry") or text(item, "awsAccountId")
    repository = (
        text(details, "repositoryName")
        or (arn.partition(":repository/")[2].rpartition("/sha256:")[0])
    )
    if not repository:
        return arn
    tag = next(iter(sorted(texts(details, "imageTags"))), "")
    name = f"{account}.dkr.ecr.{region}.amazonaws.com/{repository}"
    return one_line(f"{name}:{tag}" if tag else name, 500)


def _package(item: dict[str, Any], resource: Resource) -> VulnerablePackage:
    details = item["packageVulnerabilityDetails"]
    package = dig(details, "vulnerablePackages", 0)
    manager = text(package, "packageManager").upper()
    name = one_line(text(package, "name"), 300)
    version = _version(package)
    id_ = one_line(text(details, "vulnerabilityId") or text(item, "title"), 100)
    fixed = one_line(text(package, "fixedInVersion"), 100)
    is_of_system = manager == "OS" or (not manager and resource.type in ("host", CONTAINER_IMAGE))
    score, vector = _cvss(item)
    kind = "host" if is_of_system and resource.type != CONTAINER_IMAGE else resource.type
    return VulnerablePackage(
        id=id_,
        scanner="Inspector",
        holder=Holder(name=resource.id, resource_type=kind or "host"),
        is_of_system=is_of_system,
        package=name,
        severity=_severity(item),
        version=version,
        fixed_versions=[] if fixed.lower() in _NO_FIX else [fixed],
        ecosystem="" if is_of_system else _ECOSYSTEMS.get(manager, manager.lower()),
        path="" if is_of_system else one_line(text(package, "filePath"), 1_000),
        purl="" if is_of_system else purl(_PURLS.get(manager, manager), name, version),
        description=text(item, "description"),
        aliases=cves_in([id_, *texts(details, "relatedVulnerabilities")]),
        cvss_score=score,
        cvss_vector=vector,
        epss=number(item, "epss", "score"),
        urls=[text(details, "sourceUrl"), *texts(details, "referenceUrls")],
        advice=_advice(item) if fixed.lower() in _NO_FIX else "",
        is_fixable=text(item, "fixAvailable").upper() in ("YES", "PARTIAL"),
    )


def _version(package: Any) -> str:
    """`1:4.19.118-2`, as the system has it: Inspector takes it apart."""
    epoch, release = text(package, "epoch"), text(package, "release")
    epoch = f"{epoch}:" if epoch not in ("", "0") else ""
    version = text(package, "version")
    return one_line(f"{epoch}{version}-{release}" if release else f"{epoch}{version}", 200)


def _code(item: dict[str, Any], resource: Resource) -> FailedCheck:
    details = item["codeVulnerabilityDetails"]
    file = text(details, "filePath", "filePath") or text(details, "filePath", "fileName")
    return FailedCheck(
        finding_type=FindingType.STATIC_CODE,
        scanner="Inspector",
        check=one_line(text(details, "ruleId") or text(details, "detectorId"), 200) or "rule",
        severity=_severity(item),
        file=one_line(file, 500) or "code",
        title=text(item, "title"),
        name=text(details, "detectorName"),
        line=whole(details, "filePath", "startLine"),
        line_end=whole(details, "filePath", "endLine"),
        message=text(item, "description"),
        remediation=_advice(item),
        repository=resource.id,
        cwes=cwes_in(texts(details, "cwes")),
        urls=texts(details, "referenceUrls"),
        known_by=text(item, "findingArn"),
    )


def _other(item: dict[str, Any], resource: Resource) -> ResourceFinding:
    """A port that the network reaches; or of a type of which nothing is known yet."""
    details = dig(item, "networkReachabilityDetails")
    ports = [text(details, "openPortRange", name) for name in ("begin", "end")]
    place = "-".join(dict.fromkeys(filter(None, ports)))
    protocol = text(details, "protocol").lower()
    steps = objects(details, "networkPath", "steps")
    hops = (f"{text(each, 'componentType')} {text(each, 'componentId')}" for each in steps)
    title = one_line(text(item, "title"), 300)
    id_ = text(item, "packageVulnerabilityDetails", "vulnerabilityId")
    kind = text(item, "type").lower() or "finding"
    what = (place, protocol) if place else (id_ or title,)
    return ResourceFinding(
        scanner="Inspector",
        finding_type=FindingType.HOST_AND_CONTAINER if id_ else FindingType.MISCONFIGURATION,
        title=title,
        severity=_severity(item),
        resource=resource,
        fingerprint=fingerprint("amazon inspector", kind, resource.id, *what),
        rule=one_line(id_ or kind, 200),
        opening=text(item, "description"),
        seen="\n".join(filter(None, (f"Open: {place}/{protocol}" if place else "", *hops))),
        remediation=_advice(item),
        cves=cves_in([id_]),
        more=_more(item),
    )


def _severity(item: dict[str, Any]) -> Severity:
    """UNTRIAGED: nobody has judged it yet."""
    return severities.from_word(text(item, "severity")) or Severity.UNKNOWN


def _advice(item: dict[str, Any]) -> str:
    said = text(item, "packageVulnerabilityDetails", "vulnerablePackages", 0, "remediation")
    words = said or text(item, "remediation", "recommendation", "text")
    return "" if words.lower().rstrip(".") in _NO_ADVICE else words


def _cvss(item: dict[str, Any]) -> tuple[float | None, str]:
    """Inspector's own score for this resource, else the newest version's of its sources."""
    adjusted = dig(item, "inspectorScoreDetails", "adjustedCvss")
    if (score := number(adjusted, "score")) is not None:
        return score, one_line(text(adjusted, "scoringVector"), 300)
    entries = objects(item, "packageVulnerabilityDetails", "cvss")
    best = max(entries, key=lambda each: (text(each, "version"), text(each, "source")), default={})
    return number(best, "baseScore"), one_line(text(best, "scoringVector"), 300)


def _more(item: dict[str, Any]) -> dict[str, Any]:
    return {"external_id": one_line(text(item, "findingArn"), 500)}
