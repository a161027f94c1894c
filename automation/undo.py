"""Deleted and edited rules put back as they were."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from automation.kinds.registry import KINDS
from automation.models import Rule
from automation.rules import services
from automation.rules.addresses import address_in_list
from automation.rules.changes import lock
from automation.rules.data import InvalidRule, data_of
from automation.rules.restore import (
    Restored,
    RuleIsThere,
    last_deletion,
    refuse_taken_name,
    restore_deleted,
)
from config.accounts.models import Act, User
from config.accounts.roles import Permission
from config.accounts.undo.acts import Recording, record_act
from config.accounts.undo.registry import CannotUndo, Change, Later, Outcome, register

DELETE, EDIT = "rule.delete", "rule.edit"
_STATE = ("kind", "name", "finding_types", "query", "action", "enabled", "auto_disabled_reason")


@contextmanager
def recorded(kind: str, rule: Rule, *, actor: User) -> Iterator[Recording]:
    """Keep what is done to the rule within, so that it can be undone. One transaction."""
    recording = Recording()
    with transaction.atomic():
        lock(rule.kind)
        before = _state(rule.pk)
        yield recording
        after = {"rule": _state(rule.pk), "history": _last_row(rule.pk)}
        if before is not None and before != after["rule"]:
            change = Change(str(rule.pk), {"rule": before}, after)
            recording.act = record_act(kind, [change], actor=actor)


def _state(rule_id: UUID) -> Mapping[str, Any] | None:
    state: Mapping[str, Any] | None = Rule.objects.filter(pk=rule_id).values(*_STATE).first()
    return state


def _last_row(rule_id: UUID) -> int | None:
    """The row of its history that tells of the act."""
    rows = Rule.history.filter(id=rule_id).order_by("-history_id")
    pk: int | None = rows.values_list("history_id", flat=True).first()
    return pk


def outcome_of(restored: Restored) -> Outcome:
    """That a deleted rule is back, and where."""
    rule, number, total, by = restored
    if by:
        text = f"{by} changed the order since. Check its place."
        link = ("Open the list", address_in_list(rule.pk))
        title = f"{rule.name} restored at position {number:,}"
        return Outcome(title, text, link=link, is_of_rule=True, is_warning=True)
    state = "enabled" if rule.enabled else "broken" if rule.is_broken else "disabled"
    meanwhile = "Findings that came meanwhile are not ticketed."
    if KINDS[rule.kind].acts_on_existing:
        meanwhile = "Re-checking open findings."
    text = f"At position {number:,} of {total:,}, {state}. {meanwhile}"
    return Outcome(f"Rule {rule.name} restored", text, is_of_rule=True)


class _OfRules:
    permission = Permission.RULES_WRITE

    def restore(self, act: Act, changes: Sequence[Change], *, actor: User) -> Outcome:
        [change] = changes
        try:
            return self._restore(change, actor=actor)
        except InvalidRule as refusal:
            raise CannotUndo(str(refusal)) from refusal

    def _restore(self, change: Change, *, actor: User) -> Outcome:
        raise NotImplementedError

    def links_to(self, object_ids: Collection[str]) -> Mapping[str, tuple[str, str]]:
        return {
            str(rule.pk): (rule.name, reverse("automation:rule-edit", args=[rule.pk]))
            for rule in Rule.objects.filter(pk__in=object_ids)
        }


@dataclass(frozen=True, slots=True)
class _Deleted(_OfRules):
    def _restore(self, change: Change, *, actor: User) -> Outcome:
        try:
            return outcome_of(restore_deleted(UUID(change.object_id), actor=actor))
        except RuleIsThere as there:
            return _left(change, _later(there.rule, "restored it"))


@dataclass(frozen=True, slots=True)
class _Edited(_OfRules):
    def _restore(self, change: Change, *, actor: User) -> Outcome:
        rule_id, before = UUID(change.object_id), change.before["rule"]
        lock(before["kind"])
        rule = Rule.objects.select_related("modified_by").filter(pk=rule_id).first()
        if rule is None:
            return _left(change, _deleted(rule_id))
        if _state(rule_id) != change.after["rule"]:
            return _left(change, _later(rule, "changed it"))
        data = data_of(Rule(pk=rule_id, **before))
        refuse_taken_name(rule, name=data.name)
        why = before["auto_disabled_reason"]
        data = replace(data, enabled=data.enabled or bool(why))
        services.edit_rule(rule_id, data, actor=actor, reason="undone")
        if why:
            services.break_rule(rule_id, reason=why)
        return Outcome("Edit undone", f"{data.name} is as it was.", is_of_rule=True)


def _left(change: Change, later: Later) -> Outcome:
    return Outcome("", left={change.object_id: later})


def _later(rule: Rule, what: str) -> Later:
    who = rule.modified_by.name if rule.modified_by else "The system"
    return Later(what, who, rule.modified_at)


def _deleted(rule_id: UUID) -> Later:
    row = last_deletion(rule_id)
    if row is None or row.history_user is None:
        return Later("The rule was deleted since.")
    return Later("deleted it", row.history_user.name, row.history_date)


register(DELETE, _Deleted())
register(EDIT, _Edited())
