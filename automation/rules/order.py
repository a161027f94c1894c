"""The places of one kind's rules. What writes them does so inside `changes.changing`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Max

from automation.models import Rule, RuleSet, RuleSetVersion
from automation.rules.changes import Change
from automation.rules.version_changes import longest_increasing
from automation.rules.versions import versions_since
from config.accounts.history import record_changes
from config.accounts.models import User
from config.lib.elapsed import when_text
from config.lib.rows import rewrite

_MAX_NAMED = 50


class RulesChanged(RuntimeError):
    """Somebody else changed what this change was based on."""

    def __init__(self, *, by: User | None, at: datetime) -> None:
        super().__init__(f"{by.name if by else 'The system'} changed this {when_text(at)}.")
        self.by = by
        self.at = at


class OrderChanged(RulesChanged):
    """The order is not the one in which a place was chosen."""


class InvalidOrder(ValueError):
    """An order that is not exactly the rules there are, each once."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a rule goes: right above another, or else to the end."""

    above: UUID | None
    version: int  # of the rule set whose order the person saw


def order_of(kind: str) -> list[UUID]:
    return list(Rule.objects.filter(kind=kind).values_list("pk", flat=True))


def next_position(kind: str) -> int:
    last = Rule.objects.filter(kind=kind).aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def put(rule: Rule, placement: Placement, change: Change) -> None:
    """Put a rule that is in the list to its place.

    Raises OrderChanged if other rules come before that place than the person saw.
    """
    others = [pk for pk in order_of(rule.kind) if pk != rule.pk]
    at = len(others)
    if placement.above is not None:
        seen = [pk for pk in order_at(rule.kind, placement.version) if pk != rule.pk]
        at = _place_in(others, placement.above)
        if at < 0 or [*others[:at], placement.above] != seen[: at + 1]:
            raise _order_changed(change)
    place([*others[:at], rule.pk, *others[at:]], change, moved=rule.pk)


def place(ids: Sequence[UUID], change: Change, *, moved: UUID | None = None) -> None:
    """Write positions 0, 1, 2, … in this order, with history for the rules that moved, and not
    for those that made room. `moved` is the one that somebody took, if it was one."""
    rules = {rule.pk: rule for rule in Rule.objects.filter(kind=change.kind.name)}
    took = _moved([*rules], ids, moved)
    elsewhere = [rules[pk] for place, pk in enumerate(ids) if rules[pk].position != place]
    # Out of the way first: no two rules may share a position, not even inside a statement.
    Rule.objects.filter(pk__in=[rule.pk for rule in elsewhere]).update(position=-1 - F("position"))
    for place, pk in enumerate(ids):
        rules[pk].position = place
    rewrite(elsewhere, "position")
    named = [f"{rules[pk].name} → {rules[pk].position + 1}" for pk in took[:_MAX_NAMED]]
    record_changes(
        [rules[pk] for pk in took],
        actor=change.actor,
        reason="moved",
        at=change.now,
        details={"positions": named},
    )


def _moved(before: Sequence[UUID], after: Sequence[UUID], moved: UUID | None) -> list[UUID]:
    """Those that stand elsewhere among the others: `moved` alone if that explains it, else the
    fewest that do."""
    if moved is not None and _without(moved, before) == _without(moved, after):
        return [moved] if list(before) != list(after) else []
    index = {pk: number for number, pk in enumerate(before)}
    stay = {after[n] for n in longest_increasing([index[pk] for pk in after])}
    return [pk for pk in after if pk not in stay]


def _without(pk: UUID, order: Sequence[UUID]) -> list[UUID]:
    return [each for each in order if each != pk]


def check_version(rule_set: RuleSet, *, seen: int) -> None:
    """Raises RulesChanged if anything has changed since that version."""
    if rule_set.version == seen:
        return
    latest = RuleSetVersion.objects.filter(kind=rule_set.kind).select_related("created_by").first()
    if latest is not None:
        raise RulesChanged(by=latest.created_by, at=latest.created_at)


def check_order_unchanged(kind: str, current: Sequence[UUID], *, since: int) -> None:
    """Raises RulesChanged, or InvalidOrder if there is no such version."""
    versions = versions_since(kind, since or 1)
    seen = next(versions, None) if since else None
    if seen is None and since != 0:
        raise InvalidOrder(f"There is no version {since} of the rules.")
    order = seen.order if seen else []
    if order == list(current):
        return
    for version in versions:
        if version.order != order:
            raise RulesChanged(by=version.created_by, at=version.created_at)


def what_is_wrong(ids: Sequence[UUID], current: Sequence[UUID]) -> str:
    """With an order that is not the rules there are."""
    if len(ids) != len(current):
        return f"reorder must include all {len(current)} rules, got {len(ids)}"
    if len(set(ids)) != len(ids):
        return "reorder must include each rule once"
    [stranger, *_] = set(ids) - set(current)
    return f"rule {stranger} does not exist"


def order_at(kind: str, version: int) -> list[UUID]:
    """The order that somebody saw; empty of a version that there is not."""
    seen = next(versions_since(kind, version), None)
    return seen.order if seen else []


def _place_in(order: Sequence[UUID], pk: UUID) -> int:
    """-1 for what is not there."""
    return order.index(pk) if pk in order else -1


def _order_changed(change: Change) -> OrderChanged:
    versions = RuleSetVersion.objects.filter(kind=change.kind.name).select_related("created_by")
    latest = versions.first()
    if latest is None:
        return OrderChanged(by=None, at=change.now)
    return OrderChanged(by=latest.created_by, at=latest.created_at)
