"""Findings that a rule puts into the Security Inbox, and takes out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from findings.events import Event
from findings.models import FindingEvent
from findings.rule_effects.effects import Effects, is_gone
from findings.rule_state import RuleActor
from findings.services import Claimed
from findings.workflow import RuleType, rule_of, with_inbox, with_rule, without_inbox

InboxChange = tuple[Claimed, bool, RuleActor | None]


def set_inbox(changes: Sequence[InboxChange], *, now: datetime) -> list[Claimed]:
    """As `inbox_effects` says. Two statements."""
    return inbox_effects(changes, now=now).store(now=now)


def inbox_effects(changes: Sequence[InboxChange], *, now: datetime) -> Effects:
    """Put findings in or take them out, unless a person has chosen for one of them.

    One that is in already stays in, for the rule that is named now.
    """
    columns: dict[int, dict[str, Any]] = {}
    events: list[Event] = []
    for finding, is_in, rule in changes:
        if is_gone(finding) or finding.state.inbox_choice or _is_so(finding, rule, is_in=is_in):
            continue
        workflow = finding.facts.workflow
        named = rule if is_in else None
        columns[finding.pk] = {
            "is_in_inbox": is_in,
            "inbox_rule_id": named.id if named else "",
            "workflow": _workflow(finding, named, now) if is_in else without_inbox(workflow),
        }
        if is_in is not finding.state.is_in_inbox:
            kinds = FindingEvent.Kind
            kind = kinds.INBOX_ADDED if is_in else kinds.INBOX_REMOVED
            by = rule or rule_of(workflow, RuleType.INBOX)
            events.append(Event(finding.pk, kind, "", "").by(by))
    return Effects([finding for finding, *_ in changes], columns, events)


def _is_so(finding: Claimed, rule: RuleActor | None, *, is_in: bool) -> bool:
    if not is_in:
        return not finding.state.is_in_inbox
    named = rule_of(finding.facts.workflow, RuleType.INBOX)
    return finding.state.is_in_inbox and named == rule


def _workflow(finding: Claimed, rule: RuleActor | None, now: datetime) -> dict[str, Any]:
    workflow = finding.facts.workflow
    if finding.state.is_in_inbox:  # since when stays as it was
        return with_rule(workflow, RuleType.INBOX, rule)
    return with_inbox(workflow, None, now, rule)
