"""The day by which a rule wants a finding fixed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from config.lib.utc import midnight
from findings.events import Event
from findings.facts import Status
from findings.models import FindingEvent
from findings.rule_effects.effects import Effects, is_gone
from findings.rule_state import RuleActor
from findings.services import Claimed
from findings.workflow import RuleType, rule_of, with_due_date, without_due_date

DueChange = tuple[Claimed, date | None, RuleActor | None]


def set_due_dates(changes: Sequence[DueChange], *, now: datetime) -> list[Claimed]:
    """As `due_date_effects` says. Two statements."""
    return due_date_effects(changes).store(now=now)


def due_date_effects(changes: Sequence[DueChange]) -> Effects:
    """Set the day, or with None take it away; a muted finding gets none."""
    columns: dict[int, dict[str, Any]] = {}
    events: list[Event] = []
    for finding, day, rule in changes:
        due_on = None if rule is None or finding.facts.status == Status.MUTED else day
        if is_gone(finding) or _is_so(finding, due_on, rule):
            continue
        columns[finding.pk] = _columns(finding, due_on, rule)
        if due_on != finding.state.due_on:
            by = rule or rule_of(finding.facts.workflow, RuleType.DUE_DATE)
            kind = FindingEvent.Kind.DUE
            events.append(Event(finding.pk, kind, _iso(finding.state.due_on), _iso(due_on)).by(by))
    return Effects([finding for finding, *_ in changes], columns, events)


def _is_so(finding: Claimed, due_on: date | None, rule: RuleActor | None) -> bool:
    if due_on is None:
        return finding.state.due_on is None
    named = rule_of(finding.facts.workflow, RuleType.DUE_DATE)
    return (finding.state.due_on, named) == (due_on, rule)


def _columns(finding: Claimed, due_on: date | None, rule: RuleActor | None) -> dict[str, Any]:
    workflow = finding.facts.workflow
    if due_on is None or rule is None:
        return {"due_at": None, "due_rule_id": None, "workflow": without_due_date(workflow)}
    due_at = midnight(due_on)
    return {
        "due_at": due_at,
        "due_rule_id": UUID(rule.id),
        "workflow": with_due_date(workflow, due_at, rule),
    }


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
