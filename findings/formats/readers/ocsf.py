"""OCSF findings (schema 1.x) of any product: an object, a list, or JSON lines.

Classes: vulnerability (2002), compliance (2003), detection (2004), data security (2006),
application security posture (2007), IAM analysis (2008), and the security finding (2001) of
OCSF 1.0. An incident (2005) groups findings and is none itself. See docs/ocsf.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.normalised import EVENTS, Normalised, Rejected, Unscanned, normalise_mapped
from findings.formats.readers.ocsf_vulnerabilities import vulnerability_records
from findings.formats.shapes.problems import only
from findings.formats.shapes.resources import (
    Resource,
    ResourceFinding,
    check_identity,
    compliance_lines,
)
from findings.formats.streams import json_lines
from findings.formats.streams.records import Outline, Record, RefusedReport, begins_with, records
from findings.formats.values import severities
from findings.formats.values.fields import clip, dig, moment, objects, one_line, text, texts
from findings.formats.values.identity import Firsts, fingerprint

NAME = "ocsf"
LABEL = "OCSF findings"

_OURS = frozenset({"class_uid", "metadata"})
_TYPES: Mapping[str, FindingType] = {
    "2001": FindingType.MISCONFIGURATION,
    "2002": FindingType.HOST_AND_CONTAINER,
    "2003": FindingType.MISCONFIGURATION,
    "2004": FindingType.WORKLOAD_ACTIVITY,
    "2006": FindingType.MISCONFIGURATION,
    "2007": FindingType.STATIC_CODE,
    "2008": FindingType.IDENTITY_RISK,
}  # by class_uid
_INCIDENT = "2005"
_CLOSED = frozenset({"suppressed", "resolved", "archived", "deleted", "closed"})
_CLOSED_IDS = frozenset({"3", "4", "5", "6"})  # status_id, where no word says it
_PASSED = frozenset({"pass", "passed", "manual", "muted", "not_available"})
_SEVERITIES: Mapping[str, Severity] = {
    "1": Severity.INFO,
    "2": Severity.LOW,
    "3": Severity.MEDIUM,
    "4": Severity.HIGH,
    "5": Severity.CRITICAL,
    "6": Severity.CRITICAL,  # "fatal": too late already
}  # by severity_id
_CLOSING = "3"  # activity_id


def recognises(outline: Outline) -> bool:
    keys = outline.keys if outline.root == "object" else outline.first.get("", frozenset())
    if not keys >= _OURS:
        return False
    if outline.root != "list" and not outline.kinds & {"finding_info", "finding"}:
        raise RefusedReport("This is OCSF, but events, not findings.")
    return True


def scanner(report: BinaryIO) -> str:
    """The product, if all findings are of one."""
    return only(_product(found.value) for found in _findings(report)) or "OCSF"


def target(report: BinaryIO) -> str:
    """The account, if all findings are of one."""
    accounts = (text(found.value, "cloud", "account", "uid") for found in _findings(report))
    return only(filter(None, accounts))


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """Lines and single findings are sent as they happen."""
    if not begins_with(report, b"["):
        yield EVENTS


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    firsts = Firsts()
    for position, found in enumerate(_findings(report)):
        if problem := _problem(found):
            yield Rejected(position, *problem)
        elif _is_open(found.value):
            for record in _records(found.value, latest):
                if firsts.has(record["fingerprint"]):
                    yield normalise_mapped(
                        record, position=position, at=found.pointer, latest=latest
                    )


def _findings(report: BinaryIO) -> Iterator[Record]:
    if begins_with(report, b"["):
        return records(report, "/*")
    return json_lines.documents(report)


def _problem(found: Record) -> tuple[str, str, str] | None:
    if not isinstance(found.value, dict):
        return found.pointer, "Not an object", "A finding is an object."
    class_uid = text(found.value, "class_uid")
    if class_uid not in _TYPES and class_uid != _INCIDENT:
        detail = f"Class {class_uid[:20] or '?'} is not among the findings that are read."
        return f"{found.pointer}/class_uid", "Unknown class", detail
    if not _info(found.value, "title") and not _info(found.value, "uid"):
        where = f"{found.pointer}/finding_info/title"
        return where, "Missing field", "`finding_info.title` is required."
    return None


def _is_open(item: dict[str, Any]) -> bool:
    """Words before numbers: Prowler 4 wrote "New" beside the number of "Suppressed". In OCSF 1.0 a
    finding has a state, and its status is that of the event."""
    state = text(item, "state") or text(item, "state_name")
    status = (state or text(item, "status")).lower()
    number = text(item, "state_id") or text(item, "status_id")
    is_closed = status in _CLOSED or (not status and number in _CLOSED_IDS)
    answers = {text(item, "status_code").lower(), text(item, "compliance", "status").lower()}
    passed = not answers.isdisjoint(_PASSED) or text(item, "compliance", "status_id") == "1"
    is_closing = text(item, "activity_id") == _CLOSING
    return not (is_closed or passed or is_closing or text(item, "class_uid") == _INCIDENT)


def _info(item: Any, name: str) -> str:
    return text(item, "finding_info", name) or text(item, "finding", name)


def _product(item: Any) -> str:
    product = dig(item, "metadata", "product")
    name = text(product, "name") or text(product, "vendor_name")
    return one_line(name or "OCSF", 100)


def _severity(item: dict[str, Any]) -> Severity:
    word = severities.from_word(text(item, "severity"))
    return _SEVERITIES.get(text(item, "severity_id")) or word or Severity.UNKNOWN


def _records(item: dict[str, Any], latest: datetime) -> Iterator[dict[str, Any]]:
    """One of each vulnerable package; else one of the finding."""
    finding = _finding(item, latest)
    vulnerable = vulnerability_records(item, finding) if dig(item, "vulnerabilities") else []
    yield from vulnerable or [finding.record()]


def _finding(item: dict[str, Any], latest: datetime) -> ResourceFinding:
    resource, rule = _resource(item), _rule(item)
    is_prowler = _product(item).lower() == "prowler"
    title = _info(item, "title") or _info(item, "desc") or _info(item, "uid")
    uid = _info(item, "uid") or [rule, resource.id, title]
    identity = fingerprint("ocsf", _product(item), uid)
    if is_prowler and rule:
        identity = check_identity("prowler", rule, resource)
    return ResourceFinding(
        scanner=_product(item),
        scanner_version=one_line(text(item, "metadata", "product", "version"), 50),
        finding_type=_type(item),
        title=title,
        severity=_severity(item),
        resource=resource,
        fingerprint=identity,
        rule=rule,
        rule_name=text(item, "finding_info", "analytic", "name") or title,
        called=_called(item),
        says=text(item, "status_detail"),
        opening=_info(item, "desc") or text(item, "message"),
        seen=text(item, "status_detail") or text(item, "message"),
        risk=text(item, "risk_details"),
        remediation=text(item, "remediation", "desc") or text(item, "finding", "remediation"),
        urls=_urls(item),
        compliance=_compliance(item),
        others=[text(each, "uid") for each in _resources(item)[1:]],
        service=text(_resources(item), 0, "group", "name"),
        first_seen_at=_first_seen(item, latest),
        more={"external_id": clip(_info(item, "uid"), 500), "attack": _attacks(item)},
    )


def _type(item: dict[str, Any]) -> FindingType:
    """The class decides, but a posture check comes as a detection from Prowler 4."""
    class_uid = text(item, "class_uid")
    words = " ".join(texts(item, "finding_info", "types")).lower()
    if class_uid == "2004" and text(item, "status_code").upper() == "FAIL":
        return FindingType.MISCONFIGURATION
    if class_uid in ("2001", "2006", "2007") and "secret" in words:
        return FindingType.SECRET
    return _TYPES[class_uid]


def _called(item: dict[str, Any]) -> list[str]:
    """What data it is that a data security finding is about, and what its class calls it."""
    pattern = text(item, "data_security", "detection_pattern")
    return [*texts(item, "finding_info", "types"), pattern]


def _rule(item: dict[str, Any]) -> str:
    analytic = dig(item, "finding_info", "analytic")
    names = (
        text(item, "metadata", "event_code"),
        text(item, "compliance", "control"),
        text(analytic, "uid") or text(analytic, "name"),
        next(iter(texts(item, "finding_info", "types")), ""),
    )
    return one_line(next(filter(None, names), ""), 300)


def _resources(item: dict[str, Any]) -> list[dict[str, Any]]:
    one = dig(item, "resource")
    device = dig(item, "device")
    found = objects(item, "resources") or [each for each in (one, device) if each]
    return [each for each in found if isinstance(each, dict)]


def _resource(item: dict[str, Any]) -> Resource:
    first = next(iter(_resources(item)), {})
    cloud = dig(item, "cloud")
    account = text(cloud, "account", "uid") or text(first, "account_uid")
    name = text(first, "name") or text(first, "hostname")
    is_device = not dig(item, "resources") and not dig(item, "resource") and bool(first)
    return Resource(
        id=text(first, "uid") or name or account or text(item, "application", "name") or "resource",
        name=name,
        type="host" if is_device else text(first, "type"),
        provider=(text(cloud, "provider") or text(first, "cloud_partition")).lower(),
        account=account,
        region=text(first, "region") or text(cloud, "region"),
        namespace=text(first, "namespace"),
    )


def _first_seen(item: dict[str, Any], latest: datetime) -> str | None:
    info = dig(item, "finding_info") or dig(item, "finding")
    names = ["first_seen_time_dt", "first_seen_time"]
    if _product(item).lower() != "prowler":  # whose findings are created anew by each scan
        names += ["created_time_dt", "created_time"]
    times = (moment(info, name, latest=latest) for name in names)
    return next(filter(None, times), None)


def _urls(item: dict[str, Any]) -> list[str]:
    return [
        _info(item, "src_url"),
        *texts(item, "remediation", "references"),
        text(item, "unmapped", "related_url"),
        *texts(item, "unmapped", "additional_urls"),
    ]


def _compliance(item: dict[str, Any]) -> list[str]:
    requirements = texts(item, "compliance", "requirements")
    standards = ", ".join(texts(item, "compliance", "standards"))
    own = f"{standards}: {', '.join(requirements)}" if standards else ", ".join(requirements)
    return [*filter(None, [own]), *compliance_lines(dig(item, "unmapped", "compliance"))]


def _attacks(item: dict[str, Any]) -> list[str]:
    """Techniques of MITRE ATT&CK."""
    attacks = objects(item, "finding_info", "attacks") or objects(item, "attacks")
    return [uid for each in attacks[:20] if (uid := text(each, "technique", "uid"))]
