"""Rules as the API shows them. What is not set is left out."""

from __future__ import annotations

from typing import Any

from automation.kinds.base import RuleKind
from automation.kinds.registry import KINDS
from automation.models import DEFAULTS_SINCE, Rule
from automation.rules.default_rows import DefaultRow
from config.accounts.models import User
from config.lib.utc import epoch_ms

SYSTEM_ID = "00000000-0000-0000-0000-000000000000"


def rule_document(rule: Rule) -> dict[str, Any]:
    return {
        "id": str(rule.pk),
        "type": KINDS[rule.kind].resource_type,
        "attributes": {
            "action": _action(rule),
            "created_at": epoch_ms(rule.created_at),
            "created_by": _who(rule.created_by),
            "enabled": rule.enabled,
            "modified_at": epoch_ms(rule.modified_at),
            "modified_by": _who(rule.modified_by),
            "name": rule.name,
            "rule": _set(finding_types=rule.finding_types, query=rule.query),
        },
    }


def default_document(row: DefaultRow, kind: RuleKind) -> dict[str, Any]:
    """A rule that comes with the product."""
    spec, state = row.spec, row.state
    return {
        "id": spec.id,
        "type": f"default_{kind.resource_type}",
        "attributes": {
            "action": kind.write(spec.action),
            "created_at": epoch_ms(DEFAULTS_SINCE),
            "created_by": _who(None),
            "enabled": spec.enabled,
            "modified_at": epoch_ms(state.modified_at),
            "modified_by": _who(state.modified_by),
            "name": spec.name,
            "rule": {"finding_types": list(spec.finding_types), "query": spec.query},
        },
    }


def _action(rule: Rule) -> dict[str, Any]:
    stored = rule.action if isinstance(rule.action, dict) else {}
    return {**stored, **_set(auto_disabled_reason=rule.auto_disabled_reason or None)}


def _set(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _who(person: User | None) -> dict[str, str]:
    if person is None:
        return {"type": "system", "id": SYSTEM_ID, "name": "System"}
    return {"type": "user", "id": str(person.pk), "name": person.name}
