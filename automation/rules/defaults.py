"""Rules that come with the product, switched on and off: nothing else of them can change."""

from __future__ import annotations

from automation.kinds.base import RuleKind
from automation.models import DefaultRule, Rule
from automation.rules.changes import Change, changing
from automation.rules.default_rows import DefaultRow, default_rows
from config.accounts.history import record_changes
from config.accounts.models import User
from config.lib.rows import rewrite, store


def enable_default(kind: RuleKind, rule_id: str, *, actor: User | None) -> DefaultRow:
    """Let the rule act on findings, new ones and open ones. Raises Rule.DoesNotExist."""
    return _switch(kind, rule_id, enabled=True, actor=actor)


def disable_default(kind: RuleKind, rule_id: str, *, actor: User | None) -> DefaultRow:
    """Stop the rule: what it set on findings goes. Raises Rule.DoesNotExist."""
    return _switch(kind, rule_id, enabled=False, actor=actor)


def default_row(kind: RuleKind, rule_id: str) -> DefaultRow:
    """Raises Rule.DoesNotExist."""
    for row in default_rows(kind):
        if row.spec.id == rule_id:
            return row
    raise Rule.DoesNotExist


def _switch(kind: RuleKind, rule_id: str, *, enabled: bool, actor: User | None) -> DefaultRow:
    with changing(kind.name, actor) as change:
        state = default_row(kind, rule_id).state
        if state.enabled != enabled:
            state.enabled = enabled
            _save(state, change)
    return default_row(kind, rule_id)


def _save(state: DefaultRule, change: Change) -> None:
    state.modified_by, state.modified_at = change.actor, change.now
    if state._state.adding:  # noqa: SLF001
        store([state])
    else:
        rewrite([state], "enabled", "modified_by", "modified_at")
    reason = "enabled" if state.enabled else "disabled"
    record_changes([state], actor=change.actor, reason=reason, at=change.now)
