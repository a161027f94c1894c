"""Rules as the API shows them. What is not set is left out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from automation.api.requests import TYPE
from automation.models import Rule
from config.accounts.models import User

SYSTEM_ID = "00000000-0000-0000-0000-000000000000"


def rule_document(rule: Rule) -> dict[str, Any]:
    return {
        "id": str(rule.pk),
        "type": TYPE,
        "attributes": {
            "action": _action(rule),
            "created_at": _epoch_ms(rule.created_at),
            "created_by": _who(rule.created_by),
            "enabled": rule.enabled,
            "modified_at": _epoch_ms(rule.modified_at),
            "modified_by": _who(rule.modified_by),
            "name": rule.name,
            "rule": _set(finding_types=rule.finding_types, query=rule.query or None),
        },
    }


def _action(rule: Rule) -> dict[str, Any]:
    return _set(
        project_id=str(rule.project_id),
        target=rule.target,
        max_tickets_per_day=rule.max_tickets_per_day,
        assignee_id=str(rule.assignee_id) if rule.assignee_id else None,
        fields=rule.fields,
        auto_disabled_reason=rule.auto_disabled_reason or None,
    )


def _set(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _who(person: User | None) -> dict[str, str]:
    if person is None:
        return {"type": "system", "id": SYSTEM_ID, "name": "System"}
    return {"type": "user", "id": str(person.pk), "name": person.name}


def _epoch_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
