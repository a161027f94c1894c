"""A finding's `workflow`: what people and rules did with it, in the public schema's groups. Pure.

No function changes the workflow that it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from config.lib.utc import epoch_ms
from findings.rule_state import RuleActor

Workflow = Mapping[str, Any]
NOT_MUTED: Workflow = {"is_muted": False}


class RuleType(StrEnum):
    """What a rule of `workflow.automations` did, in the order of the pipeline."""

    SEVERITY = "severity_modifier"
    MUTE = "mute"
    INBOX = "security_inbox"
    DUE_DATE = "due_date"
    TICKET = "ticket_creation"


def with_rule(workflow: Workflow, rule_type: RuleType, rule: RuleActor | None) -> dict[str, Any]:
    """It names this rule as the one of its type, or with None no rule."""
    entries = [a for a in workflow.get("automations", ()) if a["rule_type"] != rule_type]
    if rule:
        entries.append({"rule_id": rule.id, "rule_name": rule.name, "rule_type": rule_type.value})
    entries.sort(key=lambda entry: list(RuleType).index(RuleType(entry["rule_type"])))
    return _with(workflow, "automations", entries)


def rule_of(workflow: Workflow, rule_type: RuleType) -> RuleActor | None:
    """The rule of this type that acted on the finding."""
    for entry in workflow.get("automations", ()):
        if entry["rule_type"] == rule_type:
            return RuleActor(entry["rule_id"], entry["rule_name"])
    return None


def with_mute(
    workflow: Workflow, mute: Workflow = NOT_MUTED, rule: RuleActor | None = None
) -> dict[str, Any]:
    """As `mute` says, by a rule if one is named. A finding that is muted has no due date."""
    if rule:
        mute = {**mute, "is_muted_by_rule": True, "rule_id": rule.id, "rule_name": rule.name}
    muted = {**with_rule(workflow, RuleType.MUTE, rule), "mute": dict(mute)}
    return without_due_date(muted) if mute["is_muted"] else muted


def with_due_date(workflow: Workflow, due_at: datetime, rule: RuleActor) -> dict[str, Any]:
    said = {"due_at": epoch_ms(due_at), "rule_id": rule.id}
    return {**with_rule(workflow, RuleType.DUE_DATE, rule), "due_date": said}


def without_due_date(workflow: Workflow) -> dict[str, Any]:
    return _with(with_rule(workflow, RuleType.DUE_DATE, None), "due_date", None)


def with_inbox(
    workflow: Workflow, added_by: Mapping[str, Any] | None, now: datetime, rule: RuleActor | None
) -> dict[str, Any]:
    """In the Security Inbox, since now, by a person or by a rule."""
    said = {"added_at": epoch_ms(now), "added_by": added_by}
    return {**with_rule(workflow, RuleType.INBOX, rule), "security_inbox": said}


def without_inbox(workflow: Workflow) -> dict[str, Any]:
    return _with(with_rule(workflow, RuleType.INBOX, None), "security_inbox", None)


def _with(workflow: Workflow, name: str, value: Any) -> dict[str, Any]:
    """With this group, or without it if there is nothing in it."""
    others = {key: group for key, group in workflow.items() if key != name}
    return {**others, name: value} if value else others
