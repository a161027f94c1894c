"""The columns of the explorer's table, and what a file with findings says in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from findings.explorer.pages import tag_value
from findings.models import Finding


class Column(NamedTuple):
    label: str
    cells: Mapping[str, Callable[[Finding], str]]  # heading in a file → its cell


def assignee_of(finding: Finding) -> str:
    """The name of whose it is, or ""."""
    assignee = (finding.workflow.get("triage") or {}).get("assignee") or {}
    return str(assignee.get("name", ""))


ALWAYS: Mapping[str, Callable[[Finding], str]] = {
    "Id": lambda finding: finding.finding_id,
    "Severity": lambda finding: finding.severity,
    "Finding": lambda finding: finding.title,
    "Resource": lambda finding: finding.resource_name or finding.resource_id,
}
COLUMNS: Mapping[str, Column] = {
    "type": Column("Type", {"Type": lambda finding: finding.type_choice.label}),
    "owner": Column(
        "Service / team",
        {
            "Service": lambda finding: tag_value(finding.tags, "service"),
            "Team": lambda finding: tag_value(finding.tags, "team"),
        },
    ),
    "status": Column("Status", {"Status": lambda finding: finding.status}),
    "due": Column(
        "Due", {"Due": lambda finding: f"{finding.due_at:%Y-%m-%d}" if finding.due_at else ""}
    ),
    "assignee": Column("Assignee", {"Assignee": assignee_of}),
    "source": Column("Source", {"Source": lambda finding: finding.source.name}),
    "ticket": Column(
        "Ticket",
        {
            "Ticket": lambda finding: finding.ticket_key,
            "Ticket made": lambda finding: finding.ticket.replace("_", " "),
            "Ticket status": lambda finding: finding.ticket_status,
        },
    ),
    "seen": Column(
        "First seen",
        {
            "First seen": lambda finding: f"{finding.first_seen_at:%Y-%m-%dT%H:%M:%SZ}",
            "Changed": lambda finding: f"{finding.detection_changed_at:%Y-%m-%dT%H:%M:%SZ}",
        },
    ),
    "last": Column(
        "Last seen",
        {"Last seen": lambda finding: f"{finding.last_seen_at:%Y-%m-%dT%H:%M:%SZ}"},
    ),
}
SHOWN = ("type", "owner", "status", "ticket", "seen")
"""What stands in the table unless the address says otherwise."""


def columns_named(text: str) -> Sequence[str]:
    """The columns that an address names, in their own order; those of every day for none."""
    named = set(text.split(","))
    return tuple(name for name in COLUMNS if name in named) if text else SHOWN
