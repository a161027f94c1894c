"""A rule's severity: above the source's, beneath a person's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from findings.events import Event
from findings.models import FindingEvent
from findings.rule_effects.effects import Effects, is_gone
from findings.rule_state import RuleActor
from findings.services import Claimed
from findings.workflow import RuleType, rule_of, with_rule

SeverityChange = tuple[Claimed, str, RuleActor | None]


def set_severities(changes: Sequence[SeverityChange], *, now: datetime) -> list[Claimed]:
    """As `severity_effects` says. Two statements."""
    return severity_effects(changes).store(now=now)


def severity_effects(changes: Sequence[SeverityChange]) -> Effects:
    """Have findings count as a rule says; "" gives back what the source says.

    Where a person has set a severity, that goes on to hold, and the rule's shows once it is
    cleared.
    """
    columns: dict[int, dict[str, Any]] = {}
    events: list[Event] = []
    for finding, severity, rule in changes:
        if is_gone(finding) or _is_so(finding, severity, rule):
            continue
        values = columns[finding.pk] = _columns(finding, severity, rule)
        if values["severity"] != finding.facts.severity:
            kind = FindingEvent.Kind.ADJUSTED if severity else FindingEvent.Kind.RESTORED
            was, holds = finding.facts.severity, values["severity"]
            events.append(Event(finding.pk, kind, was, holds).by(rule or _named_rule(finding)))
    return Effects([finding for finding, *_ in changes], columns, events)


def _is_so(finding: Claimed, severity: str, rule: RuleActor | None) -> bool:
    if not severity:
        return not finding.state.rule_severity
    named = _named_rule(finding)
    return (finding.state.rule_severity, named) == (severity, rule)


def _named_rule(finding: Claimed) -> RuleActor | None:
    return rule_of(finding.facts.workflow, RuleType.SEVERITY)


def _columns(finding: Claimed, severity: str, rule: RuleActor | None) -> dict[str, Any]:
    person, source = finding.state.person_severity, finding.facts.source_severity
    named = rule if severity else None
    return {
        "severity": person or severity or source,
        "base_severity": source if person or severity else "",
        "rule_severity": severity,
        "severity_rule_id": UUID(named.id) if named else None,
        "workflow": with_rule(finding.facts.workflow, RuleType.SEVERITY, named),
    }
