"""Findings that a rule mutes, and opens again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from config.lib.utc import epoch_ms
from findings.events import Event, send_on_commit
from findings.facts import Status
from findings.models import FindingEvent
from findings.rule_effects.effects import Effects, is_gone
from findings.rule_state import RuleActor
from findings.services import Claimed
from findings.signals import findings_changed
from findings.workflow import RuleType, rule_of, with_mute


class MuteSpec(NamedTuple):
    reason: str
    description: str = ""
    expires: datetime | None = None  # of the rule; None: never


MuteChange = tuple[Claimed, MuteSpec, RuleActor]


def mute(changes: Sequence[MuteChange], *, now: datetime) -> list[Claimed]:
    """As `mute_effects` says. Two statements."""
    effects = mute_effects(changes, now=now)
    if any(event.before != Status.MUTED for event in effects.events):
        send_on_commit(findings_changed)
    return effects.store(now=now)


def mute_effects(changes: Sequence[MuteChange], *, now: datetime) -> Effects:
    """Mute findings that no person has muted, and of which no person has lifted a mute.

    One that another rule mutes is this rule's from now on. A muted finding has no due date.
    """
    columns: dict[int, dict[str, Any]] = {}
    events: list[Event] = []
    for finding, spec, rule in changes:
        if not _may_mute(finding) or _is_so(finding, spec, rule):
            continue
        columns[finding.pk] = _muted(finding, spec, rule, now)
        event = Event(
            finding.pk, FindingEvent.Kind.MUTED, finding.facts.status, spec.reason, spec.description
        )
        events.append(event.by(rule))
    return Effects([finding for finding, *_ in changes], columns, events)


def unmute(
    findings: Sequence[Claimed], *, now: datetime, actor: RuleActor | None = None, note: str = ""
) -> list[Claimed]:
    """As `unmute_effects` says. Two statements."""
    effects = unmute_effects(findings, actor=actor, note=note)
    if effects.columns:
        send_on_commit(findings_changed)
    return effects.store(now=now)


def unmute_effects(
    findings: Sequence[Claimed], *, actor: RuleActor | None = None, note: str = ""
) -> Effects:
    """Open those that a rule mutes; they are not new, and so get no ticket.

    Without an actor it is the rule that muted them, which does so no longer.
    """
    columns: dict[int, dict[str, Any]] = {}
    events: list[Event] = []
    for finding in findings:
        if not finding.state.mute_rule_id or finding.facts.status != Status.MUTED:
            continue
        rule = actor or rule_of(finding.facts.workflow, RuleType.MUTE)
        event = Event(finding.pk, FindingEvent.Kind.UNMUTED, Status.MUTED, Status.OPEN, note)
        events.append(event.by(rule))
        columns[finding.pk] = {
            "status": Status.OPEN.value,
            "mute_rule_id": None,
            "unmuted_rule_id": finding.state.mute_rule_id,
            "muted_until": None,
            "workflow": with_mute(finding.facts.workflow),
        }
    return Effects(findings, columns, events)


def _may_mute(finding: Claimed) -> bool:
    by_person = finding.facts.status == Status.MUTED and not finding.state.mute_rule_id
    return not (is_gone(finding) or by_person or finding.state.is_mute_lifted)


def _is_so(finding: Claimed, spec: MuteSpec, rule: RuleActor) -> bool:
    if not finding.state.mute_rule_id:
        return False
    said: Mapping[str, Any] = finding.facts.workflow.get("mute", {})
    return _said(spec, rule).items() <= said.items()


def _said(spec: MuteSpec, rule: RuleActor) -> dict[str, Any]:
    return {
        "is_muted": True,
        "reason": spec.reason,
        "description": spec.description,
        "expire_at": epoch_ms(spec.expires) if spec.expires else None,
        "rule_id": rule.id,
        "rule_name": rule.name,
    }


def _muted(finding: Claimed, spec: MuteSpec, rule: RuleActor, now: datetime) -> dict[str, Any]:
    said = {**_said(spec, rule), "muted_at": epoch_ms(now)}
    return {
        "status": Status.MUTED.value,
        "mute_rule_id": UUID(rule.id),
        "unmuted_rule_id": None,
        "muted_until": spec.expires,
        "due_at": None,
        "due_rule_id": None,
        "workflow": with_mute(finding.facts.workflow, said, rule),
    }
