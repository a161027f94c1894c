"""Who did what in an event of a finding, as a sentence says it."""

from __future__ import annotations

from collections.abc import Mapping

from findings.facts import GONE_STATUSES, Status
from findings.models import FindingEvent

Kind = FindingEvent.Kind
_DID: Mapping[str, str] = {
    Kind.REOPENED: "reported it again",
    Kind.SEVERITY: "reported another severity",
    Kind.REPORTED: "reported another severity",
    Kind.RESTORED: "set its severity back",
    Kind.MUTED: "muted it",
    Kind.UNMUTED: "unmuted it",
    Kind.INBOX_ADDED: "added it to the Security Inbox",
    Kind.INBOX_REMOVED: "took it out of the Security Inbox",
    Kind.DUE: "changed its due date",
}
_REPORTS = (Kind.REOPENED, Kind.SEVERITY, Kind.REPORTED)


def did(event: FindingEvent) -> tuple[str, str]:
    """("resolved it", "Lena Brandt"). Load the event with its actor."""
    return _what(event), _who(event)


def _what(event: FindingEvent) -> str:
    if event.kind == Kind.ASSIGNED:
        return f"assigned it to {event.after or 'nobody'}"
    if event.kind in (Kind.OVERRIDDEN, Kind.ADJUSTED):
        return f"set its severity to {event.after}"
    if event.kind != Kind.STATUS:
        return _DID[event.kind]
    if event.after in GONE_STATUSES:
        return "resolved it" if event.after == Status.RESOLVED else "closed it"
    return f"set it to {event.after.replace('-', ' ')}"


def _who(event: FindingEvent) -> str:
    if event.rule_id:
        return f"Rule {event.rule_name}"
    if event.key_name:
        return f"API key {event.key_name}"
    if event.actor:
        return event.actor.name
    return "A report" if event.kind in _REPORTS else "The system"
