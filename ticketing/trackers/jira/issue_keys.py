"""What an issue says of where it comes from: our keys in its property and its labels. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ticketing.trackers.base import IssueRef
from ticketing.trackers.jira.creating import TICKET_PROPERTY


def keys_of(issue: Mapping[str, Any]) -> set[str]:
    """The keys that it carries. Each of its labels may be one."""
    labels = {str(label) for label in (issue.get("fields") or {}).get("labels") or ()}
    return labels | {property_of(issue)} - {""}


def property_of(issue: Mapping[str, Any]) -> str:
    """The key that was written with its create, and that no copy has."""
    written = (issue.get("properties") or {}).get(TICKET_PROPERTY)
    return str(written.get("key") or "") if isinstance(written, Mapping) else ""


def ref_of(issue: Mapping[str, Any]) -> IssueRef:
    return IssueRef(str(issue["id"]), str(issue["key"]))


def number_of(ref: IssueRef) -> int:
    return int(ref.key.rpartition("-")[2])
