"""Rules as they once were: a deleted one comes back, and an older version of one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from automation.models import Rule, RuleSetVersion
from automation.rules import services
from automation.rules.changes import Change, changing
from automation.rules.data import InvalidRule, action_of, data_of, validate
from automation.rules.names import already_called, is_taken
from automation.rules.order import next_position, place
from automation.rules.versions import VersionRules, versions_since
from config.accounts.models import User

_VERSIONS = 10  # of the set, looked through for the one before a deletion
DELETED, RESTORED = "-", "restored"


class RuleIsThere(ValueError):
    """It was restored before, or never deleted; `rule` is it."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(str(rule))
        self.rule = rule


class Restored(NamedTuple):
    rule: Rule
    number: int  # its position, from 1
    total: int
    order_changed_by: str  # who moved the others since, so that its place may be another


def restore_deleted(rule_id: UUID, *, actor: User | None) -> Restored:
    """Bring a rule back with its id, state and position, between those it stood between.

    Findings recorded meanwhile are never evaluated with it by a kind that does not act on
    existing ones. Raises Rule.DoesNotExist, RuleIsThere and InvalidRule.
    """
    deletion = last_deletion(rule_id)
    if deletion is None:
        raise RuleIsThere(Rule.objects.select_related("modified_by").get(pk=rule_id))
    with changing(deletion.kind, actor) as change:
        if there := Rule.objects.select_related("modified_by").filter(pk=rule_id).first():
            raise RuleIsThere(there)
        rule: Rule = deletion.instance
        _check(rule, change)
        ids = list(Rule.objects.filter(kind=rule.kind).values_list("pk", flat=True))
        last = _last_with(deletion)
        then = last.order if last else []
        at = _index(rule, then, ids)
        _insert(rule, at, ids, change)
        by = _who_reordered(rule.kind, last) if last and _moved(then, ids) else ""
    return Restored(rule, at + 1, len(ids) + 1, by)


def restore_version(rule_id: UUID, history_id: int, *, actor: User | None) -> Rule:
    """Have the rule say what it said then. Whether it is on stays as it is now.

    Raises Rule.DoesNotExist, also for a row of its history that says nothing, and InvalidRule.
    """
    row = Rule.history.filter(id=rule_id, history_id=history_id).first()
    if row is None or row.history_type == DELETED:
        raise Rule.DoesNotExist
    present = Rule.objects.get(pk=rule_id)
    data = replace(data_of(row.instance), enabled=present.enabled)
    refuse_taken_name(present, name=data.name)
    return services.edit_rule(rule_id, data, actor=actor, seen=present.modified_at, reason=RESTORED)


def last_deletion(rule_id: UUID) -> Any:  # a row of simple-history
    rows = Rule.history.filter(id=rule_id, history_type=DELETED).select_related("history_user")
    return rows.order_by("-history_date", "-history_id").first()


def refuse_taken_name(rule: Rule, *, name: str) -> None:
    """Raises InvalidRule."""
    if is_taken(rule.kind, name, by_other_than=rule.pk):
        raise InvalidRule({"name": f"{already_called(name)} Rename that one first."})


def _check(rule: Rule, change: Change) -> None:
    """What is asked of a rule that is written: it may not hold any more."""
    refuse_taken_name(rule, name=rule.name)
    action = action_of(rule)
    validate(data_of(rule))
    if problems := change.kind.problems_now(action, before=action, now=change.now):
        raise InvalidRule({problem.field: problem.sentence for problem in problems})


def _insert(rule: Rule, at: int, ids: Sequence[UUID], change: Change) -> None:
    """At its own position if that leads to this place; else the others make room."""
    before = Rule.objects.filter(kind=rule.kind, position__lt=rule.position).count()
    is_taken = Rule.objects.filter(kind=rule.kind, position=rule.position).exists()
    fits = before == at and not is_taken
    if not fits:
        rule.position = next_position(rule.kind)
    services.insert([rule], change, reason=RESTORED)
    if not fits:
        place([*ids[:at], rule.pk, *ids[at:]], change, moved=rule.pk)
        rule.position = at


def _last_with(deletion: Any) -> VersionRules | None:
    """The version in which the rule was last."""
    versions = RuleSetVersion.objects.filter(kind=deletion.kind)
    before = versions.filter(created_at__lte=deletion.history_date).order_by("-version")
    numbers = set(before.values_list("version", flat=True)[:_VERSIONS])
    found = None
    for version in versions_since(deletion.kind, min(numbers, default=0)):
        if version.version > max(numbers):
            break
        if version.version in numbers and deletion.id in version.order:
            found = version
    return found


def _name(user: User | None) -> str:
    return user.name if user else "The system"


def _index(rule: Rule, then: Sequence[UUID], now: Sequence[UUID]) -> int:
    """Behind the nearest of those that stood before it and are still there."""
    if not then:
        return Rule.objects.filter(kind=rule.kind, position__lt=rule.position).count()
    earlier = [pk for pk in then[: then.index(rule.pk)] if pk in now]
    return now.index(earlier[-1]) + 1 if earlier else 0


def _moved(then: Sequence[UUID], now: Sequence[UUID]) -> bool:
    """Whether those that are in both stand in another order."""
    return [pk for pk in then if pk in now] != [pk for pk in now if pk in then]


def _who_reordered(kind: str, last: VersionRules) -> str:
    later = versions_since(kind, last.version)
    return next((_name(v.created_by) for v in later if _moved(last.order, v.order)), "Somebody")
