"""Findings as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from findings.models import Finding


def finding_document(finding: Finding) -> dict[str, Any]:
    """The public document of a finding: its own attributes and, above them, the core ones."""
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
        "first_seen_at": _epoch_ms(finding.first_seen_at),
        "last_seen_at": _epoch_ms(finding.last_seen_at),
        "detection_changed_at": _epoch_ms(finding.detection_changed_at),
        "workflow": {"mute": {"is_muted": False}} | finding.workflow,
        "metadata": {"schema_version": "2"},
    }
    return {
        "id": finding.finding_id,
        "type": "finding",
        "attributes": {
            "attributes": {"custom": custom},
            "tags": finding.tags,
            "timestamp": _epoch_ms(finding.detection_changed_at),
        },
    }


_SEVERITY_NUMBERS = {"critical": 4, "high": 3, "medium": 2, "low": 1, "info": 0, "none": 0}


def _severity_details(finding: Finding) -> dict[str, Any]:
    """`base` and `adjusted` as the source says, `user_adjusted` what a person has set instead.

    `severity` beside them is the one that holds.
    """
    said = _severity(finding.source_severity)
    theirs = {"user_adjusted": _severity(finding.severity)} if finding.base_severity else {}
    return {"base": said, "adjusted": said, **theirs}


def _severity(value: str) -> dict[str, Any]:
    number = _SEVERITY_NUMBERS.get(value)  # unknown has none
    return {"value": value} if number is None else {"value": value, "value_id": number}


def _epoch_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
