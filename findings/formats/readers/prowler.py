"""Prowler 2 to 5: JSON of versions 2 and 3, CSV of all. Its OCSF is read as OCSF.

The same check at the same resource is the same finding in CSV, JSON and OCSF of version 3 on.
See docs/prowler.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, normalise_mapped
from findings.formats.shapes.problems import only
from findings.formats.shapes.resources import (
    Resource,
    ResourceFinding,
    check_identity,
    compliance_lines,
)
from findings.formats.streams import csv_stream, json_lines
from findings.formats.streams.records import Outline, begins_with, records
from findings.formats.values import severities
from findings.formats.values.fields import clip, dig, one_line, text, texts
from findings.formats.values.identity import Firsts, fingerprint

NAME = "prowler"
LABEL = "Prowler"

_V2_JSON = frozenset({"Control ID", "Control", "Status"})
_V3_JSON = frozenset({"CheckID", "StatusExtended", "FindingUniqueId"})
_V2_CSV = frozenset({"TITLE_ID", "TITLE_TEXT", "CHECK_RESULT"})
_CSV = frozenset({"CHECK_ID", "CHECK_TITLE", "STATUS", "STATUS_EXTENDED"})
_FAILED = "FAIL"  # the others: PASS, INFO, MANUAL, MUTED, WARNING
_V2_TITLE = re.compile(r"^\[(\w+)\]\s*(.*?)(?:\s*\((?:Not )?(?:Scored|part of)[^)]*\))*$", re.S)
_V2_REGION = re.compile(r"^[a-z]{2}(?:-[a-z]+)+-\d:\s*")  # before the message

_DAYS = re.compile(r"\b\d+ day")  # "not used for 91 days" is 92 tomorrow


def recognises(outline: Outline) -> bool:
    columns = frozenset(outline.columns)
    first = outline.first.get("", frozenset()) or outline.keys
    return any(
        (columns >= _CSV, columns >= _V2_CSV, first >= _V3_JSON, first >= _V2_JSON),
    )


def scanner(_report: BinaryIO) -> str:
    return "Prowler"


def target(report: BinaryIO) -> str:
    """The account, if all checks are of one."""
    checks = (_check(item) for _, item in _checks(report) if isinstance(item, dict))
    return only(filter(None, (check.resource.account for check in checks)))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    firsts = Firsts()
    for position, (pointer, item) in enumerate(_checks(report)):
        if not isinstance(item, dict):
            yield Rejected(position, pointer, "Not an object", "A check is an object.")
            continue
        check = _check(item)
        if not check.id:
            detail = "The id of the check (`CheckID`, `CHECK_ID`, `Control ID`) is required."
            yield Rejected(position, pointer, "Missing field", detail)
        elif check.is_finding:
            record = check.record()
            if firsts.has(record["fingerprint"]):
                yield normalise_mapped(record, position=position, at=pointer, latest=latest)


def _checks(report: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Rows of CSV, elements of a list, or JSON lines, which version 2 writes."""
    if begins_with(report, b"["):
        return ((found.pointer, found.value) for found in records(report, "/*"))
    if begins_with(report, b"{"):
        return ((found.pointer, found.value) for found in json_lines.documents(report))
    return ((row.pointer, dict(row.cells)) for row in csv_stream.rows(report))


class _Names(NamedTuple):
    """Where a way of writing keeps what. A name with dots leads inwards."""

    id: str
    title: str
    status: str
    seen: str
    severity: str
    resource: tuple[str, ...]
    resource_name: str
    resource_type: str
    account: tuple[str, ...]
    region: str
    service: str
    opening: str = ""
    risk: str = ""
    remediation: str = ""
    urls: tuple[str, ...] = ()
    provider: str = ""
    muted: str = ""
    namespace: str = ""


_ACCOUNTS = ("AccountId", "SubscriptionId", "Subscription", "ProjectId")  # aws, azure, gcp
_V3_JSON_NAMES = _Names(
    "CheckID", "CheckTitle", "Status", "StatusExtended", "Severity", ("ResourceArn", "ResourceId"),
    "ResourceId", "ResourceType", _ACCOUNTS, "Region", "ServiceName", "Description", "Risk",
    "Remediation.Recommendation.Text", ("Remediation.Recommendation.Url", "RelatedUrl"),
    "Provider",
)  # fmt: skip
_CSV_NAMES = _Names(
    "CHECK_ID", "CHECK_TITLE", "STATUS", "STATUS_EXTENDED", "SEVERITY",
    ("RESOURCE_UID", "RESOURCE_ARN", "RESOURCE_ID"), "RESOURCE_NAME", "RESOURCE_TYPE",
    ("ACCOUNT_UID", "ACCOUNT_ID"), "REGION", "SERVICE_NAME", "DESCRIPTION", "RISK",
    "REMEDIATION_RECOMMENDATION_TEXT", ("REMEDIATION_RECOMMENDATION_URL", "RELATED_URL"),
    "PROVIDER", "MUTED", "NAMESPACE",
)  # fmt: skip
_V2_JSON_NAMES = _Names(
    "Control ID", "Control", "Status", "Message", "Severity", ("Resource ID",), "Resource ID",
    "Resource Type", ("Account Number",), "Region", "Service", "", "Risk", "Remediation",
    ("Doc link",),
)  # fmt: skip
_V2_CSV_NAMES = _Names(
    "TITLE_ID", "TITLE_TEXT", "CHECK_RESULT", "CHECK_RESULT_EXTENDED", "CHECK_SEVERITY",
    ("CHECK_RESOURCE_ID",), "CHECK_RESOURCE_ID", "CHECK_ASFF_RESOURCE_TYPE", ("ACCOUNT_NUM",),
    "REGION", "CHECK_SERVICENAME", "", "CHECK_RISK", "CHECK_REMEDIATION", ("CHECK_DOC",),
)  # fmt: skip


def _check(item: dict[str, Any]) -> _Check:
    if "TITLE_ID" in item:
        return _OldCheck(item, _V2_CSV_NAMES)
    if "Control ID" in item or "Control" in item:
        return _OldCheck(item, _V2_JSON_NAMES)
    return _Check(item, _CSV_NAMES if "CHECK_ID" in item else _V3_JSON_NAMES)


class _Check:
    """One answer of one check, of version 3 on."""

    def __init__(self, item: dict[str, Any], names: _Names) -> None:
        self._item = item
        self._names = names
        self.id = one_line(self.text("id"), 200)
        self.title = self.text("title") or self.id

    def text(self, name: str) -> str:
        path = getattr(self._names, name)
        return text(self._item, *path.split(".")) if path else ""

    @property
    def is_finding(self) -> bool:
        return self.text("status").upper() == _FAILED and self.text("muted").lower() != "true"

    def first(self, names: tuple[str, ...]) -> str:
        return next(filter(None, (text(self._item, name) for name in names)), "")

    @property
    def resource(self) -> Resource:
        account = self.first(self._names.account)
        return Resource(
            id=self.first(self._names.resource) or account or "account",
            name=self.text("resource_name"),
            type=self.text("resource_type"),
            provider=self.text("provider").lower() or "aws",
            account=account,
            region=self.text("region"),
            namespace=self.text("namespace"),
        )

    @property
    def identity(self) -> str:
        return check_identity("prowler", self.id, self.resource)

    def record(self) -> dict[str, Any]:
        urls = [text(self._item, *path.split(".")) for path in self._names.urls]
        return ResourceFinding(
            scanner="Prowler",
            scanner_version=one_line(text(self._item, "PROWLER_VERSION"), 50),
            finding_type=FindingType.MISCONFIGURATION,
            title=self.title,
            severity=severities.from_word(self.text("severity")) or Severity.UNKNOWN,
            resource=self.resource,
            fingerprint=self.identity,
            rule=self.id,
            rule_name=self.title,
            opening=self.text("opening"),
            seen=self.text("seen"),
            says=self.text("seen"),
            risk=self.text("risk"),
            remediation=self.text("remediation"),
            urls=[*urls, *text(self._item, "ADDITIONAL_URLS").split(" | ")],
            compliance=self._compliance(),
            service=self.text("service"),
            more=self._more(),
        ).record()

    def _compliance(self) -> list[str]:
        written = text(self._item, "COMPLIANCE") or text(self._item, "Compliance")
        listed = [each.strip() for each in written.split(" | ") if each.strip()]
        return listed or compliance_lines(dig(self._item, "Compliance"))

    def _more(self) -> Mapping[str, Any]:
        uid = self.first(("FINDING_UID", "FINDING_UNIQUE_ID", "FindingUniqueId"))
        categories = texts(self._item, "Categories") or text(self._item, "CATEGORIES").split(", ")
        return {"external_id": clip(uid, 500), "categories": [each for each in categories if each]}


class _OldCheck(_Check):
    """Of version 2, which names no resource: its message does.

    `[check12] Ensure MFA is enabled (Scored)` is the check and its title.
    """

    def __init__(self, item: dict[str, Any], names: _Names) -> None:
        super().__init__(item, names)
        if found := _V2_TITLE.match(self.title):
            self.id, self.title = found[1], found[2]
        self._message = _DAYS.sub("# day", _V2_REGION.sub("", self.text("seen")))

    @property
    def identity(self) -> str:
        resource = self.resource
        where = (resource.account, resource.region, resource.id)
        return fingerprint("prowler 2", self.id, *where, self._message)
