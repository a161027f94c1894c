"""Findings as the API shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from config.lib.datadog_api.shapes import EpochMs, documented, only
from config.lib.utc import epoch_ms
from findings.explorer.due import days_left
from findings.facts import FindingType, Severity, Status
from findings.models import Finding


class Custom(Struct):
    finding_id: str
    finding_type: Annotated[str, only(*FindingType)]
    title: str
    description: str
    severity: Annotated[str, only(*Severity)]
    status: Annotated[str, only(*Status)]
    resource_id: str
    resource_name: str
    resource_type: str
    first_seen_at: EpochMs
    last_seen_at: EpochMs
    detection_changed_at: EpochMs
    is_in_security_inbox: bool
    workflow: Annotated[
        dict[str, Any], Meta(description="Mute, assignee, due date, rules and tickets.")
    ]
    metadata: dict[str, Any]


class FindingDetails(Struct):
    custom: Annotated[
        Custom, Meta(description="The core fields above the finding's own attributes.")
    ]


class FindingAttributes(Struct):
    attributes: FindingDetails
    tags: list[str]
    timestamp: EpochMs


class FindingDocument(Struct):
    id: str
    type: Literal["finding"]
    attributes: FindingAttributes


class After(Struct):
    after: str | UnsetType = UNSET


class Next(Struct):
    next: Annotated[str | UnsetType, documented(format="uri-reference")] = UNSET


def finding_document(finding: Finding) -> dict[str, Any]:
    """A `FindingDocument`: the finding's own attributes and, above them, the core ones."""
    custom = {
        **finding.attributes,
        "finding_id": finding.finding_id,
        "finding_type": finding.finding_type,
        "title": finding.title,
        "description": finding.description,
        "severity": finding.severity,
        "severity_details": _severity_details(finding),
        "status": finding.status,
        "resource_id": finding.resource_id,
        "resource_name": finding.resource_name,
        "resource_type": finding.resource_type,
        "first_seen_at": epoch_ms(finding.first_seen_at),
        "last_seen_at": epoch_ms(finding.last_seen_at),
        "detection_changed_at": epoch_ms(finding.detection_changed_at),
        "is_in_security_inbox": finding.facts.is_in_security_inbox,
        "workflow": _workflow(finding),
        "metadata": {"schema_version": "2"},
    }
    return {
        "id": finding.finding_id,
        "type": "finding",
        "attributes": {
            "attributes": {"custom": custom},
            "tags": finding.tags,
            "timestamp": epoch_ms(finding.detection_changed_at),
        },
    }


_SEVERITY_NUMBERS = {"critical": 4, "high": 3, "medium": 2, "low": 1, "info": 0, "none": 0}


def _workflow(finding: Finding) -> dict[str, Any]:
    """The public groups. Whether a finding is overdue is true or false today."""
    groups: dict[str, Any] = {"mute": {"is_muted": False}} | finding.workflow
    groups.pop("security_inbox", None)  # who put it there is for our own pages
    if finding.due_at and "due_date" in groups:
        is_overdue = days_left(finding.due_at) < 0
        groups["due_date"] = {**groups["due_date"], "is_overdue": is_overdue}
    return groups


def _severity_details(finding: Finding) -> dict[str, Any]:
    """`base` and `adjusted` as the source says, `user_adjusted` what a person has set instead.

    `severity` beside them is the one that holds: a person's, or a rule's, or the source's.
    """
    reported = _severity(finding.source_severity)
    person = finding.person_severity
    theirs = {"user_adjusted": _severity(person)} if person else {}
    return {"base": reported, "adjusted": reported, **theirs}


def _severity(value: str) -> dict[str, Any]:
    number = _SEVERITY_NUMBERS.get(value)  # unknown has none
    return {"value": value} if number is None else {"value": value, "value_id": number}
