"""Everything that changes rules.

Each change is one transaction under the lock of the rule set's row. It writes the rules as
they are now as a new `RuleSetVersion`, and a history row with the actor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from simple_history.utils import bulk_update_with_history

from automation.models import Rule, RuleCheck, RuleSet, RuleSetVersion
from automation.tickets import issue_fields
from config.accounts.history import sign
from config.accounts.models import User
from config.lib.tasks import enqueue
from findings.facts import FindingType
from findings.query.ast import QueryError
from findings.query.parse import parse_rule_query
from ticketing import outbox
from ticketing.placeholders import PlaceholderError, check

KIND = RuleSet.Kind.TICKET_CREATION
MAX_NAME = 255
MAX_QUERY = 30_000
MAX_LIMIT = 500
MAX_FIELDS = 64 * 1024  # bytes of JSON: every version of the rules keeps them


class InvalidRule(ValueError):
    """What is wrong with a rule, by field. `position` is where in the query, or else in the
    text of a field, from 0."""

    def __init__(self, errors: dict[str, str], *, position: int | None = None) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = errors
        self.position = position


class RulesChanged(RuntimeError):
    """Somebody else changed what this change was based on."""

    def __init__(self, *, by: User | None, at: datetime) -> None:
        super().__init__(f"{by.name if by else 'The system'} changed this at {at:%H:%M} UTC.")
        self.by = by
        self.at = at


class InvalidOrder(ValueError):
    """An order that is not exactly the rules there are, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleData:
    """What a person or a client says of a rule."""

    name: str
    finding_types: Sequence[str]
    project_id: UUID
    max_tickets_per_day: int
    query: str = ""
    target: str = Rule.Target.CASE_MANAGEMENT
    assignee_id: UUID | None = None
    fields: dict[str, Any] | None = None
    enabled: bool = True


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
        _write(
            copy,
            RuleData(
                name=f"{original.name[:240]} (copy)",
                finding_types=original.finding_types,
                query=original.query,
                target=original.target,
                project_id=original.project_id,
                assignee_id=original.assignee_id,
                fields=original.fields,
                max_tickets_per_day=original.max_tickets_per_day,
                enabled=False,
            ),
            change,
            reason="duplicated",
        )
        ids.insert(ids.index(original.pk) + 1, copy.pk)
        _place(ids, change)
    return copy


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


def validate(data: RuleData) -> None:
    """Raise InvalidRule with every field that is wrong."""
    errors: dict[str, str] = {}
    position = None
    if not data.name.strip() or len(data.name) > MAX_NAME:
        errors["name"] = f"Enter a rule name of 1 to {MAX_NAME} characters."
    if not data.finding_types:
        errors["finding_types"] = "Select at least one finding type."
    elif unknown := [t for t in data.finding_types if t not in set(FindingType)]:
        errors["finding_types"] = f"“{unknown[0]}” is not a finding type."
    if not 1 <= data.max_tickets_per_day <= MAX_LIMIT:
        errors["max_tickets_per_day"] = f"Enter a whole number from 1 to {MAX_LIMIT}."
    if data.target not in Rule.Target.values:
        errors["target"] = "Tickets can be created in Jira and in Case Management."
    try:
        parse_rule_query(data.query)
    except QueryError as error:
        errors["query"] = error.message
        position = error.position
    try:
        check(data.fields)
    except PlaceholderError as error:
        errors["fields"] = error.sentence
        position = position if "query" in errors else error.position
    if len(json.dumps(data.fields).encode()) > MAX_FIELDS:
        errors["fields"] = f"The fields may have {MAX_FIELDS:,} bytes as JSON."
    if errors:
        raise InvalidRule(errors, position=position)


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
