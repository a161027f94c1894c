"""Everything that changes rules.

Each change is one transaction under the lock of the rule set's row. It writes the rules as
they are now as a new `RuleSetVersion`, and a history row with the actor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from simple_history.utils import bulk_update_with_history

from automation.models import Rule, RuleCheck, RuleSet, RuleSetVersion
from automation.rule_data import RuleData, data_of, validate
from automation.tickets import issue_fields
from config.accounts.history import sign
from config.accounts.models import User
from config.lib.tasks import enqueue
from ticketing import outbox

KIND = RuleSet.Kind.TICKET_CREATION


class RulesChanged(RuntimeError):
    """Somebody else changed what this change was based on."""

    def __init__(self, *, by: User | None, at: datetime) -> None:
        super().__init__(f"{by.name if by else 'The system'} changed this at {at:%H:%M} UTC.")
        self.by = by
        self.at = at


class InvalidOrder(ValueError):
    """An order that is not exactly the rules there are, each once."""


@dataclass(slots=True)
class _Change:
    """What a change has left to say when it is done."""

    rule_set: RuleSet
    actor: User | None
    now: datetime = field(default_factory=timezone.now)


def create_rule(data: RuleData, *, actor: User | None) -> Rule:
    """Append a rule to the list. Findings recorded before are never evaluated with it."""
    validate(data)
    with _changing(actor) as change:
        last = Rule.objects.filter(kind=KIND).aggregate(last=Max("position"))["last"]
        rule = Rule(
            kind=KIND,
            position=0 if last is None else last + 1,
            created_by=actor,
            created_at=change.now,
        )
        _write(rule, data, change, reason="created")
    return rule


def edit_rule(
    rule_id: UUID, data: RuleData, *, actor: User | None, seen: datetime | None = None
) -> Rule:
    """Replace everything a person says of a rule; enabling it clears why it was broken.

    `seen` is the rule's `modified_at` as the editor saw it: RulesChanged if it has moved on.
    """
    validate(data)
    with _changing(actor) as change:
        rule = _get(rule_id)
        if seen is not None and rule.modified_at != seen:
            raise RulesChanged(by=rule.modified_by, at=rule.modified_at)
        _write(rule, data, change, reason="edited")
    return rule


def delete_rule(rule_id: UUID, *, actor: User | None) -> None:
    """Delete a rule. The tickets it made stay as they are, with its name."""
    with _changing(actor):
        rule = _get(rule_id)
        sign(rule, actor=actor)
        rule.delete()


def duplicate_rule(rule_id: UUID, *, actor: User | None) -> Rule:
    """A disabled copy right below the original."""
    with _changing(actor) as change:
        original = _get(rule_id)
        ids = _order()
        copy = Rule(
            kind=KIND,
            position=Rule.objects.filter(kind=KIND).aggregate(last=Max("position"))["last"] + 1,
            created_by=actor,
            created_at=change.now,
        )
        name = f"{original.name[:240]} (copy)"
        data = replace(data_of(original), name=name, enabled=False)
        _write(copy, data, change, reason="duplicated")
        ids.insert(ids.index(original.pk) + 1, copy.pk)
        _place(ids, change)
    return copy


def replace_rules(
    wanted: Sequence[tuple[UUID, RuleData]], *, version: int, actor: User | None
) -> int:
    """Make the list exactly this, in this order, as one change; returns the version after it.

    An id that is not there yet is that of a new rule. `version` is the one the caller has seen:
    RulesChanged if anything has changed since.
    """
    for _, data in wanted:
        validate(data)
    with _changing(actor) as change:
        _check_version(change.rule_set, seen=version)
        there = {rule.pk: rule for rule in Rule.objects.filter(kind=KIND)}
        last = max((rule.position for rule in there.values()), default=-1)
        for pk in there.keys() - dict(wanted):
            sign(there[pk], actor=actor)
            there[pk].delete()
        for number, (pk, data) in enumerate(wanted, start=last + 1):
            rule = there.get(pk)
            if rule is None:
                new = Rule(pk=pk, kind=KIND, position=number, created_by=actor)
                new.created_at = change.now
                _write(new, data, change, reason="created")
            elif data_of(rule) != data:
                _write(rule, data, change, reason="edited")
        _place([pk for pk, _ in wanted], change)
    return change.rule_set.version


def enable_rule(rule_id: UUID, *, actor: User | None) -> Rule:
    """Let the rule act on findings from now on. Clears why it was broken."""
    return _switch(rule_id, enabled=True, actor=actor, reason="enabled")


def disable_rule(rule_id: UUID, *, actor: User | None) -> Rule:
    """Stop the rule. Its tickets stay attached."""
    return _switch(rule_id, enabled=False, actor=actor, reason="disabled")


def break_rule(rule_id: UUID, *, reason: str, field: str = "") -> bool:
    """Disable a rule that cannot create tickets as configured; False if it was off already.

    `field` is the external field at fault: the one that *Fix configuration* leads to.
    """
    with transaction.atomic():
        _lock()
        rule = Rule.objects.filter(pk=rule_id, enabled=True).first()
        if rule is None:
            return False
        with _changing(None) as change:
            rule.enabled = False
            rule.auto_disabled_reason = reason
            _save(rule, change, reason="auto-disabled")
        RuleCheck.objects.update_or_create(
            rule=rule,
            defaults={"field": field, "warning": "", "since": None, "checked_at": change.now},
        )
    return True


def deliver_waiting(rule_id: UUID, *, actor: User | None) -> int:
    """Send the tickets that waited for the rule to be repaired, as it is now; how many."""
    rule = _get(rule_id)
    return outbox.deliver_waiting(
        rule.pk, fields=issue_fields(rule.fields), project_id=rule.project_id, actor=actor
    )


def reorder(ids: Sequence[UUID], *, version: int | None = None, actor: User | None) -> int:
    """Put the rules in this order; returns the version of the rule set after it.

    `version` is the one whose order the caller saw. Raises RulesChanged if the order has
    changed since, InvalidOrder if `ids` is not every rule once.
    """
    with _changing(actor) as change:
        current = _order()
        if version is not None:
            _check_order_unchanged(current, since=version)
        if sorted(ids) != sorted(current):
            raise InvalidOrder(_what_is_wrong(ids, current))
        if list(ids) == current:
            return change.rule_set.version
        _place(ids, change)
    return change.rule_set.version


def move_rule(rule_id: UUID, *, to: int, version: int | None = None, actor: User | None) -> int:
    """Move one rule to the place `to` (from 0; beyond the ends is the end)."""
    with transaction.atomic():
        _lock()
        ids = _order()
        if rule_id not in ids:
            raise Rule.DoesNotExist
        ids.remove(rule_id)
        ids.insert(max(0, to), rule_id)
        return reorder(ids, version=version, actor=actor)


def current_version() -> int:
    """The rule set's version: what a page carries along to notice other people's changes."""
    return RuleSet.objects.filter(pk=KIND).values_list("version", flat=True).first() or 0


def _lock() -> RuleSet:
    RuleSet.objects.get_or_create(kind=KIND)
    return RuleSet.objects.select_for_update().get(kind=KIND)


@contextmanager
def _changing(actor: User | None) -> Iterator[_Change]:
    """One change of the rules: locked, and written down as a version if anything differs."""
    with transaction.atomic():
        change = _Change(_lock(), actor)
        yield change
        rules = [rule.spec.to_json() for rule in Rule.objects.filter(kind=KIND)]
        latest = RuleSetVersion.objects.filter(kind=KIND).first()
        if latest is not None and latest.rules == rules:
            return
        change.rule_set.version += 1
        change.rule_set.save(update_fields=("version",))
        RuleSetVersion.objects.create(
            kind=KIND,
            version=change.rule_set.version,
            rules=rules,
            created_at=change.now,
            created_by=actor,
        )


def _get(rule_id: UUID) -> Rule:
    return Rule.objects.get(pk=rule_id, kind=KIND)


def _order() -> list[UUID]:
    return list(Rule.objects.filter(kind=KIND).values_list("pk", flat=True))


def _write(rule: Rule, data: RuleData, change: _Change, *, reason: str) -> None:
    rule.name = data.name
    rule.finding_types = list(dict.fromkeys(data.finding_types))
    rule.query = data.query
    rule.target = data.target
    rule.project_id = data.project_id
    rule.assignee_id = data.assignee_id
    rule.fields = data.fields
    rule.max_tickets_per_day = data.max_tickets_per_day
    rule.enabled = data.enabled
    if data.enabled:
        rule.auto_disabled_reason = ""
    _save(rule, change, reason=reason)


def _save(rule: Rule, change: _Change, *, reason: str) -> None:
    rule.modified_by = change.actor
    rule.modified_at = change.now
    sign(rule, actor=change.actor, reason=reason)
    rule.save()  # every column: nobody else writes this row while the rule set is locked
    RuleCheck.objects.filter(rule=rule).delete()  # what was seen of the rule as it was
    if rule.enabled and rule.target == Rule.Target.JIRA:
        enqueue("automation.tasks.check_destinations")


def _switch(rule_id: UUID, *, enabled: bool, actor: User | None, reason: str) -> Rule:
    with _changing(actor) as change:
        rule = _get(rule_id)
        if rule.enabled != enabled:
            rule.enabled = enabled
            if enabled:
                rule.auto_disabled_reason = ""
            _save(rule, change, reason=reason)
    return rule


def _place(ids: Sequence[UUID], change: _Change) -> None:
    """Write positions 0, 1, 2, … in this order, with history for the rules that moved."""
    rules = {rule.pk: rule for rule in Rule.objects.filter(kind=KIND)}
    moved = [rules[pk] for place, pk in enumerate(ids) if rules[pk].position != place]
    # Out of the way first: no two rules may share a position, not even inside a statement.
    Rule.objects.filter(pk__in=[rule.pk for rule in moved]).update(position=-1 - F("position"))
    for place, pk in enumerate(ids):
        rules[pk].position = place
    bulk_update_with_history(
        moved,
        Rule,
        ("position",),
        default_user=change.actor,
        default_change_reason="moved",
        default_date=change.now,
    )


def _check_version(rule_set: RuleSet, *, seen: int) -> None:
    if rule_set.version == seen:
        return
    latest = RuleSetVersion.objects.filter(kind=KIND).select_related("created_by").first()
    if latest is not None:
        raise RulesChanged(by=latest.created_by, at=latest.created_at)


def _check_order_unchanged(current: Sequence[UUID], *, since: int) -> None:
    later = RuleSetVersion.objects.filter(kind=KIND, version__gte=since).order_by("version")
    seen = later.filter(version=since).first()
    if seen is None and since != 0:
        raise InvalidOrder(f"There is no version {since} of the rules.")
    order_seen = [UUID(rule["id"]) for rule in seen.rules] if seen else []
    if order_seen == list(current):
        return
    order = order_seen
    for version in later.filter(version__gt=since).select_related("created_by"):
        if [UUID(rule["id"]) for rule in version.rules] != order:
            raise RulesChanged(by=version.created_by, at=version.created_at)


def _what_is_wrong(ids: Sequence[UUID], current: Sequence[UUID]) -> str:
    if len(ids) != len(current):
        return f"reorder must include all {len(current)} rules, got {len(ids)}"
    if len(set(ids)) != len(ids):
        return "reorder must include each rule once"
    [stranger, *_] = set(ids) - set(current)
    return f"rule {stranger} does not exist"
