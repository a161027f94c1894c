"""One finding as its panel shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.http import urlencode
from django.utils.safestring import SafeString

from config.lib.markdown import render_markdown
from findings.explorer.columns import assignee_of
from findings.explorer.pages import tag_value
from findings.explorer.related import Related, also_reported
from findings.explorer.set_by import (
    DueButton,
    RuleMute,
    SetSeverity,
    due_button_of,
    in_words,
    inbox_entry_of,
    rule_mute_of,
    set_severity_of,
    written_day,
)
from findings.facts import Status
from findings.models import Finding, FindingEvent
from findings.query.ast import Exact, Field, Root, Term
from findings.query.canonical import write


class Entry(NamedTuple):
    """A line of the timeline: "<what> <strong> …"."""

    at: datetime
    icon: str  # "bolt" for what a rule did
    parts: Sequence[str]  # plain and strong text in turns
    note: str = ""
    event: int = 0  # that it tells of
    act: UUID | None = None  # that can be undone


class Panel(NamedTuple):
    finding: Finding
    severity: SetSeverity | None  # None: the source's holds, and no rule's is beneath
    mute: RuleMute | None  # by a rule
    due: DueButton | None
    inbox_note: str  # who put it into the Inbox; "" if it is not there
    is_gone: bool
    details: SafeString
    properties: Sequence[tuple[str, str]]
    evidence: Sequence[tuple[str, str, bool]]  # name, text, in mono type
    snippet: str
    raw: str
    tags: Sequence[tuple[str, str]]  # the tag, and the address's query that searches for it
    timeline: Sequence[Entry]
    related: Sequence[Related]  # what other tools say of the same problem


def panel_of(finding: Finding) -> Panel:
    """Three statements."""
    attributes = finding.attributes
    return Panel(
        finding=finding,
        severity=set_severity_of(finding),
        mute=rule_mute_of(finding),
        due=due_button_of(finding),
        inbox_note=_inbox_note(finding),
        is_gone=Status(finding.status).is_gone,
        details=render_markdown(finding.description),
        properties=list(_properties(finding)),
        evidence=list(_evidence(attributes)),
        snippet=_text(attributes, "code_location", "snippet") or _text(attributes, "snippet"),
        raw=json.dumps(attributes, indent=2, ensure_ascii=False, sort_keys=True),
        tags=[(tag, urlencode({"q": search_of_tag(tag)})) for tag in finding.tags],
        timeline=_timeline(finding),
        related=also_reported(finding),
    )


def search_of_tag(tag: str) -> str:
    """The term that finds it."""
    key, _, value = tag.partition(":")
    return write(Term(Field(Root.TAG, key), Exact(value)))


def _properties(finding: Finding) -> Iterator[tuple[str, str]]:
    mute = finding.workflow.get("mute") or {}
    said = {
        "Severity": severity.text if (severity := set_severity_of(finding)) else "",
        "Due": _due(finding),
        "Assignee": assignee_of(finding) or "Unassigned",
        "Mute reason": _mute_reason(mute) if mute.get("is_muted") else "",
        "Remediation": _text(finding.attributes, "remediation", "recommended"),
        "Service": tag_value(finding.tags, "service"),
        "Team": tag_value(finding.tags, "team"),
        "Resource type": finding.resource_type.replace("_", " "),
        "Source": finding.source.name,
    }
    yield from ((name, value) for name, value in said.items() if value)


def _due(finding: Finding) -> str:
    due = due_button_of(finding)
    return f"{due.label} · {due.note}" if due else ""


def _inbox_note(finding: Finding) -> str:
    if not finding.is_in_inbox:
        return ""
    added = inbox_entry_of(finding)
    return f"Added by {'rule ' if added.is_rule else ''}{added.name or 'nobody known'}"


def _mute_reason(mute: Mapping[str, Any]) -> str:
    reason = str(mute.get("reason", "")).replace("_", " ").capitalize()
    return " · ".join(filter(None, (reason, str(mute.get("description", "")))))


_EVIDENCE: Sequence[tuple[str, tuple[tuple[str, ...], ...], bool]] = (
    ("Advisory", (("advisory", "id"), ("advisory", "cve")), True),
    ("Weakness", (("advisory", "cwe"),), True),
    ("CVSS", (("cvss",), ("vulnerability", "cvss_vector")), True),
    ("Package", (("package", "name"), ("package", "version")), True),
    ("Fixed in", (("package", "fixed_version"),), True),
    ("Path", (("package", "path"),), True),
    ("Image", (("container_image", "name"),), True),
    ("Function", (("code_location", "function"),), True),
    ("Scanner rule", (("rule", "id"), ("rule", "name")), True),
    ("Scanner", (("scanner", "name"), ("scanner", "version")), False),
)


def _evidence(attributes: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    file, line = (_text(attributes, "code_location", name) for name in ("file", "line"))
    if file:
        yield "Location", f"{file}:{line}" if line else file, True
    for name, paths, mono in _EVIDENCE:
        values = dict.fromkeys(_text(attributes, *path) for path in paths)
        if text := " ".join(filter(None, values)):
            yield name, text, mono


def _text(attributes: Mapping[str, Any], *path: str) -> str:
    """What stands at the path, if it is text, a number or a list of them."""
    value: Any = attributes
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, list):
        return ", ".join(str(item) for item in value[:10] if isinstance(item, str | int | float))
    said = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value) if said else ""


_SAYS: Mapping[str, tuple[str, str]] = {
    FindingEvent.Kind.REOPENED: ("undo-2", "Seen again and opened"),
    FindingEvent.Kind.SEVERITY: ("sliders-horizontal", "Severity changed from"),
    FindingEvent.Kind.REPORTED: ("sliders-horizontal", "Severity at the source changed from"),
    FindingEvent.Kind.OVERRIDDEN: ("sliders-horizontal", "Severity set from"),
    FindingEvent.Kind.ADJUSTED: ("sliders-horizontal", "Severity changed from"),
    FindingEvent.Kind.RESTORED: ("undo-2", "Severity set back from"),
    FindingEvent.Kind.STATUS: ("arrow-left-right", "Status changed from"),
    FindingEvent.Kind.MUTED: ("bell-off", "Muted"),
    FindingEvent.Kind.UNMUTED: ("bell-off", "Unmuted"),
    FindingEvent.Kind.ASSIGNED: ("user-round", "Assigned to"),
    FindingEvent.Kind.INBOX_ADDED: ("inbox", "Added to the Security Inbox"),
    FindingEvent.Kind.INBOX_REMOVED: ("inbox", "Removed from the Security Inbox"),
    FindingEvent.Kind.DUE: ("calendar-clock", "Due date set to"),
}


_FROM_TO = (
    FindingEvent.Kind.SEVERITY,
    FindingEvent.Kind.REPORTED,
    FindingEvent.Kind.OVERRIDDEN,
    FindingEvent.Kind.ADJUSTED,
    FindingEvent.Kind.RESTORED,
    FindingEvent.Kind.STATUS,
)


def _timeline(finding: Finding) -> list[Entry]:
    events = FindingEvent.objects.filter(finding=finding).select_related("actor")
    first = Entry(finding.first_seen_at, "flag", ("First detected by", finding.source.name))
    return [*map(_entry, events), first]


def _entry(event: FindingEvent) -> Entry:
    icon, says = _SAYS[event.kind]
    who = _who(event)
    before, after = in_words(event.before), in_words(event.after)
    match event.kind:
        case kind if kind in _FROM_TO:
            parts = (says, before, "to", after, *who)
        case FindingEvent.Kind.ASSIGNED:
            parts = (says, event.after, *who) if event.after else ("Assigned to", "nobody", *who)
        case FindingEvent.Kind.MUTED:
            parts = (f"{says}:", after, *who)
        case FindingEvent.Kind.DUE:
            was, now = written_day(event.before), written_day(event.after)
            parts = (says, now, *who) if now else ("Due date removed; it was", was, *who)
        case _:
            parts = (says, "", *who)
    icon = "bolt" if event.rule_id else icon
    return Entry(event.created_at, icon, parts, event.note, event.pk)


def _who(event: FindingEvent) -> tuple[str, ...]:
    if event.rule_id:
        return ("by rule", event.rule_name)
    if event.key_name:
        return ("by API key", event.key_name)
    return ("by", event.actor.name) if event.actor else ()
