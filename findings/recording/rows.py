"""Reported findings as rows of the findings table. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from findings.facts import Status, Ticket
from findings.formats.normalised import Normalised
from findings.formats.values.identity import RECIPE_VERSION
from findings.grouping import stored_values
from findings.recording.identity import digest, public_id

_ENCODER = msgspec.json.Encoder(order="deterministic", enc_hook=dict)  # a read-only mapping


def as_json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """JSON text with sorted keys: equal values give equal text."""
    return _ENCODER.encode(value).decode()


class ReportRow(NamedTuple):
    """One reported finding on its way into the table."""

    finding: Normalised
    tags: str
    attributes: str
    digest: str
    scope_id: int | None


class Known(NamedTuple):
    """What the table already says of a reported finding; names of columns."""

    pk: int
    fingerprint: str
    recipe_version: int | None  # None: the first
    scope_id: int | None
    digest: str
    status: str
    severity: str
    base_severity: str
    first_seen_at: datetime

    @property
    def source_severity(self) -> str:
        return self.base_severity or self.severity


SOURCE_COLUMNS = (
    "fingerprint",
    "recipe_version",
    "digest",
    "finding_type",
    "title",
    "description",
    "severity",
    "base_severity",
    "resource_id",
    "resource_name",
    "resource_type",
    "tags",
    "attributes",
    "grouping",
    "first_seen_at",
    "scope_id",
)
"""What a source says of a finding: the columns that change when it says something else."""

_OPEN, _NO_TICKET = Status.OPEN.value, Ticket.NONE.value
NEW = (
    *SOURCE_COLUMNS,
    "finding_id",
    "source_id",
    "first_import_id",
    "status",
    "workflow",
    "ticket",
    "ticket_key",
    "ticket_status",
    "detection_changed_at",
    "opened_at",
)


def report_row(finding: Normalised, scope_id: int | None = None) -> ReportRow:
    tags, attributes = as_json(finding.tags), as_json(finding.attributes)
    checksum = digest(finding, tags=tags, attributes=attributes)
    return ReportRow(finding, tags, attributes, checksum, scope_id)


def source_values(
    report: ReportRow, *, first_seen_at: datetime, overridden: str = ""
) -> tuple[Any, ...]:
    """In the order of `SOURCE_COLUMNS`. The finding was first seen at `first_seen_at` or before.

    `overridden` is the severity that a person has set: the source's goes beneath it.
    """
    finding = report.finding
    grouping = stored_values(finding)
    severity, base = (overridden, finding.severity) if overridden else (finding.severity, "")
    return (
        finding.fingerprint,
        RECIPE_VERSION,
        report.digest,
        finding.finding_type,
        finding.title,
        finding.description,
        severity,
        base,
        finding.resource_id,
        finding.resource_name,
        finding.resource_type,
        report.tags,
        report.attributes,
        as_json(grouping) if grouping else "{}",
        min(finding.first_seen_at or first_seen_at, first_seen_at),
        report.scope_id,
    )


def new_row(
    report: ReportRow,
    *,
    source_id: int,
    source_name: str,
    import_id: str | None = None,
    now: datetime,
) -> tuple[Any, ...]:
    """In the order of `NEW`: open. `import_id` is in hexadecimal:
    texts are what the databases take fastest."""
    return (
        *source_values(report, first_seen_at=now),
        public_id(source_name, report.finding),
        source_id,
        import_id,
        _OPEN,
        "{}",
        _NO_TICKET,
        "",
        "",
        now,
        now,
    )
