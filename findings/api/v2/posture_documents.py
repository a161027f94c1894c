"""Findings as the older list shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from django.urls import reverse
from msgspec import UNSET, Meta, Struct, UnsetType

from config.lib.datadog_api.shapes import Count, EpochMs, documented, only
from config.lib.utc import epoch_ms
from findings.api.v2.posture_filters import FAIL, PASS, SEVERITIES, VULNERABILITY_TYPES
from findings.facts import Status
from findings.models import Finding
from findings.selectors import Cursor

MUTE_REASONS = (
    "ACCEPTED_RISK",
    "FALSE_POSITIVE",
    "HUMAN_ERROR",
    "NO_LONGER_ACCEPTED_RISK",
    "NO_PENDING_FIX",
    "OTHER",
    "PENDING_FIX",
)
_REASONS = {
    **{reason: reason for reason in MUTE_REASONS},
    "RISK_ACCEPTED": "ACCEPTED_RISK",
    "DUPLICATE": "OTHER",
    "NO_FIX": "OTHER",
}
_SEVERITIES: Mapping[str, str] = {
    severity: name for name, severities in SEVERITIES.items() for severity in severities
}
_Moment = Annotated[EpochMs, documented(minimum=1)]


class Mute(Struct):
    muted: bool
    reason: Annotated[str | UnsetType, only(*MUTE_REASONS)] = UNSET
    description: str | UnsetType = UNSET
    start_date: EpochMs | UnsetType = UNSET
    expiration_date: EpochMs | UnsetType = UNSET
    uuid: Annotated[str | UnsetType, Meta(description="Of the person who muted it.")] = UNSET


class ScannerRule(Struct):
    id: str | UnsetType = UNSET
    name: str | UnsetType = UNSET


class _Attributes(Struct, kw_only=True):
    evaluation: Annotated[str, only(FAIL, PASS)]
    evaluation_changed_at: _Moment
    mute: Mute
    resource: str
    resource_discovery_date: _Moment
    resource_type: str
    rule: Annotated[ScannerRule | UnsetType, Meta(description="Of the scanner.")] = UNSET
    status: Annotated[str, only(*SEVERITIES)]
    tags: list[str]


class ListedAttributes(_Attributes, kw_only=True):
    vulnerability_type: Annotated[str | UnsetType, only(*VULNERABILITY_TYPES)] = UNSET
    external_id: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    datadog_link: str | UnsetType = UNSET


class DetailedAttributes(_Attributes, kw_only=True):
    message: str | UnsetType = UNSET
    resource_configuration: dict[str, Any] | UnsetType = UNSET


class ListedFinding(Struct):
    id: str
    type: Literal["finding"]
    attributes: ListedAttributes


class DetailedFinding(Struct):
    id: str
    type: Literal["detailed_finding"]
    attributes: DetailedAttributes


class _Place(Struct):
    total_filtered_count: Annotated[Count, documented(format="int64")]
    cursor: str | UnsetType = UNSET


class _Meta(Struct):
    page: _Place
    snapshot_timestamp: _Moment


class ListedFindings(Struct):
    data: list[ListedFinding]
    meta: _Meta


def listed(
    findings: Sequence[Finding], *, is_detailed: bool, total: int, after: Cursor | None, at: int
) -> ListedFindings:
    place = _Place(total, str(after) if after else UNSET)
    data = [_listed(finding, is_detailed=is_detailed) for finding in findings]
    return ListedFindings(data, _Meta(place, at))


def detailed(finding: Finding) -> DetailedFinding:
    attributes = DetailedAttributes(**_common(finding), message=finding.description or UNSET)
    return DetailedFinding(finding.finding_id, "detailed_finding", attributes)


def _listed(finding: Finding, *, is_detailed: bool) -> ListedFinding:
    attributes = ListedAttributes(**_common(finding))
    if finding.finding_type in VULNERABILITY_TYPES:
        attributes.vulnerability_type = finding.finding_type
    if is_detailed:
        external_id = finding.attributes.get("external_id") or finding.resource_id
        attributes.external_id = str(external_id)
        attributes.description = finding.description
        attributes.datadog_link = reverse("findings:finding-show", args=[finding.finding_id])
    return ListedFinding(finding.finding_id, "finding", attributes)


def _common(finding: Finding) -> dict[str, Any]:
    """What the list and the one finding have in common."""
    return {
        "evaluation": PASS if Status(finding.status).is_gone else FAIL,
        "evaluation_changed_at": max(1, epoch_ms(finding.detection_changed_at)),
        "mute": _mute(finding),
        "resource": finding.resource_name or finding.resource_id,
        "resource_discovery_date": max(1, epoch_ms(finding.first_seen_at)),
        "resource_type": finding.resource_type,
        "rule": _rule(finding.attributes.get("rule")),
        "status": _SEVERITIES[finding.severity],
        "tags": finding.tags,
    }


def _rule(rule: object) -> ScannerRule | UnsetType:
    """Of the scanner, which says of it what it likes."""
    if not isinstance(rule, Mapping):
        return UNSET
    known = {name: rule[name] for name in ("id", "name") if isinstance(rule.get(name), str)}
    return ScannerRule(**known) if known else UNSET


def _mute(finding: Finding) -> Mute:
    mute = finding.workflow.get("mute", {})
    return Mute(
        finding.status == Status.MUTED,
        reason=_REASONS.get(mute.get("reason")) or UNSET,
        description=mute.get("description") or UNSET,
        start_date=mute.get("muted_at") or UNSET,
        expiration_date=mute.get("expire_at") or UNSET,
        uuid=(mute.get("muted_by") or {}).get("id") or UNSET,
    )
