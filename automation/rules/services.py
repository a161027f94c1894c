"""Everything that changes rules.

Each change is one transaction under the lock of the rule set's row. It writes the rules as
they are now as a new `RuleSetVersion`, and a history row with the actor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import CharField
from django.db.models.functions import Cast

from automation.kinds.registry import KINDS
from automation.kinds.ticket_creation.tickets import issue_fields
from automation.models import Rule, RuleCheck, RuleSet
from automation.rules.changes import Change, changing, lock
from automation.rules.data import (
    InvalidRule,
    RuleData,
    action_of,
    data_of,
    known_action,
    validate,
)
from automation.rules.names import copy_name, require_distinct_names, require_free_name
from automation.rules.order import (
    InvalidOrder,
    Placement,
    RulesChanged,
    check_order_unchanged,
    check_version,
    next_position,
    order_of,
    place,
    put,
    what_is_wrong,
)
from config.accounts.history import record_changes, sign
from config.accounts.models import User
from config.lib.rows import rewrite, store
from ticketing import outbox

log = structlog.stdlib.get_logger(__name__)

_MADE = ("kind", "created_by", "created_at", "position")
_WRITTEN = [
    field.name
    for field in Rule._meta.concrete_fields
    if not field.primary_key and field.name not in _MADE
]
_SWITCHED = ("enabled", "auto_disabled_reason", "modified_by", "modified_at")


def create_rule(data: RuleData, *, actor: User | None, placement: Placement | None = None) -> Rule:
    """Add a rule, to the end if no place is said. Findings recorded before are never evaluated
    with it. Raises OrderChanged."""
    validate(data)
    with changing(data.kind, actor) as change:
        rule = Rule(
            kind=data.kind,
            position=next_position(data.kind),
            created_by=actor,
            created_at=change.now,
        )
        _write(rule, data, change, reason="created")
        if placement is not None:
            put(rule, placement, change)
    return rule


def edit_rule(
    rule_id: UUID,
    data: RuleData,
    *,
    actor: User | None,
    seen: datetime | None = None,
    placement: Placement | None = None,
    reason: str = "edited",
) -> Rule:
    """Replace everything a person says of a rule; enabling it clears why it was broken. It keeps
    its place if none is said.

    `seen` is the rule's `modified_at` as the editor saw it: RulesChanged if it has moved on.
    Raises OrderChanged.
    """
    validate(data)
    with changing(data.kind, actor) as change:
        rule = Rule.objects.get(pk=rule_id, kind=data.kind)
        if seen is not None and rule.modified_at != seen:
            raise RulesChanged(by=rule.modified_by, at=rule.modified_at)
        _write(rule, data, change, reason=reason, before=known_action(rule))
        if placement is not None:
            put(rule, placement, change)
    return rule


def delete_rule(rule_id: UUID, *, actor: User | None) -> None:
    """Delete a rule. The tickets it made stay as they are, with its name."""
    with changing(_kind_of(rule_id), actor):
        rule = Rule.objects.get(pk=rule_id)
        sign(rule, actor=actor)
        rule.delete()


def duplicate_rule(rule_id: UUID, *, actor: User | None) -> Rule:
    """A disabled copy right below the original."""
    with changing(_kind_of(rule_id), actor) as change:
        original = Rule.objects.get(pk=rule_id)
        ids = order_of(original.kind)
        copy = Rule(
            kind=original.kind,
            position=next_position(original.kind),
            created_by=actor,
            created_at=change.now,
        )
        name = copy_name(original.kind, original.name)
        data = replace(data_of(original), name=name, enabled=False)
        _write(copy, data, change, reason="duplicated", before=data.action)
        ids.insert(ids.index(original.pk) + 1, copy.pk)
        place(ids, change, moved=copy.pk)
    return copy


def replace_rules(
    kind: str, wanted: Sequence[tuple[UUID, RuleData]], *, version: int, actor: User | None
) -> int:
    """Make the list exactly this, in this order, as one change; returns the version after it.

    An id that is not there yet is that of a new rule. `version` is the one the caller has seen:
    RulesChanged if anything has changed since.
    """
    for _, data in wanted:
        validate(data)
    with changing(kind, actor) as change:
        check_version(change.rule_set, seen=version)
        there = {rule.pk: rule for rule in Rule.objects.filter(kind=kind)}
        require_distinct_names(kind, wanted, there=there)
        last = max((rule.position for rule in there.values()), default=-1)
        _delete([there[pk] for pk in there.keys() - dict(wanted)], change)
        new: list[Rule] = []
        edited: list[Rule] = []
        for pk, data in wanted:
            rule = there.get(pk)
            if rule is None:
                rule = Rule(pk=pk, kind=kind, created_by=actor, created_at=change.now)
                rule.position = last + 1 + len(new)
                new.append(_said(rule, data))
            elif not _says(rule, data):
                edited.append(_said(rule, data))
        # Names that change hands are free before another rule takes them.
        _free_names(edited)
        _save_all(edited, _WRITTEN, change, reason="edited")
        insert(new, change)
        place([pk for pk, _ in wanted], change)
    return change.rule_set.version


def enable_rule(rule_id: UUID, *, actor: User | None) -> Rule:
    """Let the rule act on findings from now on. Clears why it was broken. Raises InvalidRule."""
    enable_rules([rule_id], actor=actor)
    return Rule.objects.get(pk=rule_id)


def disable_rule(rule_id: UUID, *, actor: User | None) -> Rule:
    """Stop the rule. Its tickets stay attached."""
    disable_rules([rule_id], actor=actor)
    return Rule.objects.get(pk=rule_id)


def enable_rules(rule_ids: Collection[UUID], *, actor: User | None) -> None:
    """As `enable_rule`, however many: one change, one version."""
    _switch(rule_ids, enabled=True, actor=actor, reason="enabled")


def disable_rules(rule_ids: Collection[UUID], *, actor: User | None) -> None:
    """As `disable_rule`, however many: one change, one version."""
    _switch(rule_ids, enabled=False, actor=actor, reason="disabled")


def break_rule(rule_id: UUID, *, reason: str, field: str = "") -> bool:
    """Disable a rule that cannot create tickets as configured; False if it was off already."""
    return bool(break_rules({rule_id: reason}, field=field))


def break_rules(reasons: Mapping[UUID, str], *, field: str = "") -> list[UUID]:
    """Disable rules that cannot create tickets as configured, each for its reason; those that
    were on.

    A destination that breaks is often shared: one change, one version and a constant number of
    statements, however many rules. `field` is the external field at fault: the one that *Fix
    configuration* leads to.
    """
    if not reasons:
        return []
    broken: list[Rule] = []
    with transaction.atomic():
        for kind in _kinds_of(reasons):
            broken += _break_of_kind(kind, reasons, field=field)
    for reason, number in Counter(rule.auto_disabled_reason for rule in broken).items():
        log.warning("Rules are broken", rules=number, reason=reason)
    return [rule.pk for rule in broken]


def _break_of_kind(kind: str, reasons: Mapping[UUID, str], *, field: str) -> list[Rule]:
    lock(kind)
    rules = list(Rule.objects.filter(kind=kind, pk__in=reasons, enabled=True))
    if not rules:
        return []
    with changing(kind, None) as change:
        for rule in rules:
            rule.enabled = False
            rule.auto_disabled_reason = reasons[rule.pk]
        _save_all(rules, _SWITCHED, change, reason="auto-disabled")
    store(RuleCheck(rule=rule, field=field, checked_at=change.now) for rule in rules)
    return rules


def mark_slow(seconds: Mapping[UUID, float]) -> None:
    """Keep how long these rules take for a finding, until each is changed or stops being slow."""
    for rule_id in Rule.objects.filter(pk__in=seconds, enabled=True).values_list("pk", flat=True):
        measured = {"seconds_per_finding": seconds[rule_id]}
        # Of its destination nothing was seen by this: long ago is when that is due.
        never = {"checked_at": datetime(2000, 1, 1, tzinfo=UTC)}
        RuleCheck.objects.update_or_create(
            rule_id=rule_id, defaults=measured, create_defaults=measured | never
        )


def deliver_waiting(rule_id: UUID, *, actor: User | None) -> int:
    """Send the tickets that waited for the rule to be repaired, as it is now; how many."""
    rule = Rule.objects.get(pk=rule_id)
    action = action_of(rule)
    return outbox.deliver_waiting(
        rule.pk, fields=issue_fields(action.fields), project_id=action.project_id, actor=actor
    )


def reorder(
    kind: str,
    ids: Sequence[UUID],
    *,
    start: int | None = None,
    version: int | None = None,
    moved: UUID | None = None,
    actor: User | None,
) -> int:
    """Put the rules of a kind in this order; returns the version of the rule set after it.

    `version` is the one whose order the caller saw, `moved` the rule that was taken.
    With a `start`, `ids` are some that stand one after the other, below so many others.
    Raises RulesChanged if the order has changed since, InvalidOrder if `ids` is not every rule
    once.
    """
    with changing(kind, actor) as change:
        current = order_of(kind)
        if version is not None:
            check_order_unchanged(kind, current, since=version)
        if start is not None:
            ids = [*current[:start], *ids, *current[start + len(ids) :]]
        if sorted(ids) != sorted(current):
            raise InvalidOrder(what_is_wrong(ids, current))
        if list(ids) == current:
            return change.rule_set.version
        place(ids, change, moved=moved)
    return change.rule_set.version


def move_rule(rule_id: UUID, *, to: int, version: int | None = None, actor: User | None) -> int:
    """Move one rule to the place `to` (from 0; beyond the ends is the end)."""
    kind = _kind_of(rule_id)
    with transaction.atomic():
        lock(kind)
        ids = order_of(kind)
        if rule_id not in ids:
            raise Rule.DoesNotExist
        ids.remove(rule_id)
        ids.insert(max(0, to), rule_id)
        return reorder(kind, ids, version=version, moved=rule_id, actor=actor)


def current_version(kind: str) -> int:
    """The rule set's version: what a page carries along to notice other people's changes."""
    return RuleSet.objects.filter(pk=kind).values_list("version", flat=True).first() or 0


def versions() -> dict[str, int]:
    """Kind → version of its rule set, of those that ever had rules."""
    return dict(RuleSet.objects.values_list("kind", "version"))


def _kind_of(rule_id: UUID) -> str:
    """Raises Rule.DoesNotExist."""
    return Rule.objects.values_list("kind", flat=True).get(pk=rule_id)


def _kinds_of(rule_ids: Collection[UUID]) -> list[str]:
    """In the one order in which the locks of several rule sets are taken."""
    there = set(Rule.objects.filter(pk__in=rule_ids).order_by().values_list("kind", flat=True))
    return [kind for kind in KINDS if kind in there]


def _write(rule: Rule, data: RuleData, change: Change, *, reason: str, before: Any = None) -> None:
    """`before` is the action that the rule had, or that it is a copy of."""
    if problems := change.kind.problems_now(data.action, before=before, now=change.now):
        raise InvalidRule({problem.field: problem.sentence for problem in problems})
    require_free_name(rule, data.name)
    _said(rule, data)
    _require_allowed([rule], change)
    rule.modified_by = change.actor
    rule.modified_at = change.now
    sign(rule, actor=change.actor, reason=reason)
    rule.save()  # every column: nobody else writes this row while the rule set is locked
    _look_anew([rule], change)


def _free_names(rules: Sequence[Rule]) -> None:
    """No two rules may share a name, not even inside a statement."""
    pks = [rule.pk for rule in rules]
    Rule.objects.filter(pk__in=pks).update(name=Cast("pk", CharField()))


def _says(rule: Rule, data: RuleData) -> bool:
    """Whether the rule says this already; one that cannot be read says nothing."""
    return known_action(rule) is not None and data_of(rule).meaning == data.meaning


def _said(rule: Rule, data: RuleData) -> Rule:
    kind = KINDS[rule.kind]
    before = known_action(rule) if rule.action else None
    rule.name = data.name
    rule.finding_types = list(data.finding_types)
    rule.query = data.query
    rule.action = kind.write(kind.said(data.action, before=before))
    rule.enabled = data.enabled
    if data.enabled:
        rule.auto_disabled_reason = ""
    return rule


def _require_allowed(rules: Sequence[Rule], change: Change) -> None:
    """Rules that are on do only what an admin allows."""
    if errors := change.kind.require_allowed(_actions_on(rules)):
        raise InvalidRule(dict(errors))


def _actions_on(rules: Sequence[Rule]) -> list[Any]:
    return [action_of(rule) for rule in rules if rule.enabled]


def insert(rules: Sequence[Rule], change: Change, *, reason: str = "created") -> None:
    """Rules that are not there yet, at positions that are free, in a change that is under way."""
    _require_allowed(rules, change)
    for rule in rules:
        rule.modified_by, rule.modified_at = change.actor, change.now
    store(rules)
    record_changes(rules, kind="+", actor=change.actor, reason=reason, at=change.now)
    _look_anew(rules, change)


def _save_all(rules: Sequence[Rule], names: Sequence[str], change: Change, *, reason: str) -> None:
    """Write these fields of the rules, with history: a constant number of statements."""
    _require_allowed(rules, change)
    for rule in rules:
        rule.modified_by, rule.modified_at = change.actor, change.now
    rewrite(rules, *names)
    record_changes(rules, actor=change.actor, reason=reason, at=change.now)
    _look_anew(rules, change)


def _delete(rules: Sequence[Rule], change: Change) -> None:
    """Without the collector, which would write the history of each in a statement of its own."""
    gone = Rule.objects.filter(pk__in=[rule.pk for rule in rules])
    RuleCheck.objects.filter(rule__in=rules).delete()
    gone._raw_delete(connection.alias)  # noqa: SLF001 nothing but RuleCheck refers to a rule
    record_changes(rules, kind="-", actor=change.actor, reason="", at=change.now)


def _look_anew(rules: Sequence[Rule], change: Change) -> None:
    """What was seen of the rules as they were is not true of them any more."""
    RuleCheck.objects.filter(rule__in=rules).delete()
    change.kind.rules_changed(_actions_on(rules))


def _switch(rule_ids: Collection[UUID], *, enabled: bool, actor: User | None, reason: str) -> None:
    """Raises Rule.DoesNotExist if one of them is gone."""
    with transaction.atomic():
        switched = 0
        for kind in _kinds_of(rule_ids):
            switched += _switch_of_kind(kind, rule_ids, enabled=enabled, actor=actor, reason=reason)
        if switched < len(set(rule_ids)):
            raise Rule.DoesNotExist


def _switch_of_kind(
    kind: str, rule_ids: Collection[UUID], *, enabled: bool, actor: User | None, reason: str
) -> int:
    with changing(kind, actor) as change:
        rules = list(Rule.objects.filter(kind=kind, pk__in=rule_ids))
        switched = [rule for rule in rules if rule.enabled != enabled]
        for rule in switched:
            rule.enabled = enabled
            rule.auto_disabled_reason = "" if enabled else rule.auto_disabled_reason
        _save_all(switched, _SWITCHED, change, reason=reason)
    return len(rules)
