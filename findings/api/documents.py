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
        "status": finding.status,
        "resource_id": finding.resource_id,
        "resource_name": finding.resource_name,
        "resource_type": finding.resource_type,
        "first_seen_at": _epoch_ms(finding.first_seen_at),
        "last_seen_at": _epoch_ms(finding.last_seen_at),
        "detection_changed_at": _epoch_ms(finding.detection_changed_at),
        "workflow": finding.workflow,
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


def _epoch_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
