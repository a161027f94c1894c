"""Rules of the kinds that act on findings themselves, as their lists show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from automation.engine.rules import RuleSpec
from automation.engine.shadow import shadowed_by
from automation.kinds.base import EffectKind, Note
from automation.models import Decision, Rule, RuleCheck
from automation.rules.data import spec_of
from automation.rules.slow import slowness


class Acts(NamedTuple):
    """What a rule did."""

    number: int  # findings, in the last 24 hours
    last_at: datetime | None
    seconds: float | None  # for a finding, of a rule that was found to be slow


@dataclass
class Notes:
    """Of all rules of a kind, counted once somebody looks: most who poll the list do not."""

    kind: EffectKind
    specs: Sequence[RuleSpec]
    now: datetime

    @cached_property
    def by_rule(self) -> Mapping[UUID, Note]:
        readable = [spec for spec in self.specs if spec.action is not None]
        return self.kind.notes(readable, self.now) if readable else {}


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One rule on the list page."""

    kind: EffectKind
    rule: Rule
    action: Any  # None: what is stored cannot be read
    number: int  # 1 for the first
    state: str
    reason: str  # why it is broken
    acts: Acts
    shadowed_by: int | None  # number of the earlier rule that matches everything this one would
    shadowed_by_id: str
    kinds_notes: Notes
    project: None = None
    assignee: None = None

    @property
    def has_ended(self) -> bool:
        return self.state == "expired"

    @property
    def slowness(self) -> str:
        """How long the rule keeps evaluation busy; empty unless it was found to be slow."""
        return slowness(self.acts.seconds if self.rule.enabled else None)

    @property
    def note(self) -> Note | None:
        """What people, or its expiry, have made of what it did."""
        return self.kinds_notes.by_rule.get(self.rule.pk)

    @property
    def search(self) -> str:
        """The explorer's address for the findings of the note."""
        return urlencode(self.note.search) if self.note else ""


def effect_rows(kinds: Sequence[EffectKind]) -> dict[str, list[EffectRow]]:
    """Kind → its rules in order. Two statements, however many kinds and rules."""
    names = {kind.name: kind for kind in kinds}
    rules: dict[str, list[Rule]] = {name: [] for name in names}
    acts: dict[UUID, Acts] = {}
    applied, now = Decision.objects.filter(outcome=Decision.Outcome.APPLIED), timezone.now()
    lately = applied.filter(created_at__gte=now - timedelta(hours=24)).order_by()
    numbers = dict(lately.values_list("rule_id").annotate(number=Count("pk")))
    last = applied.filter(rule_id=OuterRef("pk")).order_by("-created_at").values("created_at")[:1]
    checks = RuleCheck.objects.filter(rule=OuterRef("pk"))
    measured = checks.values("seconds_per_finding")[:1]
    for rule in (
        Rule.objects.filter(kind__in=names)
        .select_related("modified_by", "created_by")
        .annotate(last_at=Subquery(last), seconds=Subquery(measured))
    ):
        rules[rule.kind].append(rule)
        acts[rule.pk] = Acts(numbers.get(rule.pk, 0), rule.last_at, rule.seconds)
    return {name: _rows(names[name], found, acts, now) for name, found in rules.items()}


def _rows(
    kind: EffectKind, rules: Sequence[Rule], acts: Mapping[UUID, Acts], now: datetime
) -> list[EffectRow]:
    specs = [spec_of(rule) for rule in rules]
    ended = [spec.action is not None and kind.has_ended(spec.action, now) for spec in specs]
    running = [
        replace(spec, enabled=spec.enabled and not over)
        for spec, over in zip(specs, ended, strict=True)
    ]
    notes = Notes(kind, specs, now)
    shadows = {} if kind.passes_over else shadowed_by(running)
    return [
        EffectRow(
            kind=kind,
            rule=rule,
            action=spec.action,
            number=index + 1,
            state=_state(spec, has_ended=has_ended),
            reason=spec.auto_disabled_reason,
            acts=acts[rule.pk],
            shadowed_by=shadows[index] + 1 if index in shadows else None,
            shadowed_by_id=specs[shadows[index]].id if index in shadows else "",
            kinds_notes=notes,
        )
        for index, (rule, spec, has_ended) in enumerate(zip(rules, specs, ended, strict=True))
    ]


def _state(spec: RuleSpec, *, has_ended: bool) -> str:
    if spec.auto_disabled_reason:
        return "broken"
    if has_ended:
        return "expired"
    return "enabled" if spec.enabled else "disabled"
