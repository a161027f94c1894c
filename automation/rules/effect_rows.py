"""Rules of the kinds that act on findings themselves, as their lists show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from automation.engine.shadow import shadowed_by
from automation.kinds.base import EffectKind
from automation.models import Decision, Rule
from automation.rules.data import spec_of


class Acts(NamedTuple):
    """What a rule did."""

    number: int  # findings, in the last 24 hours
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One rule on the list page."""

    kind: EffectKind
    rule: Rule
    action: Any
    number: int  # 1 for the first
    state: str
    acts: Acts
    shadowed_by: int | None  # number of the earlier rule that matches everything this one would
    project: None = None
    assignee: None = None

    @property
    def has_ended(self) -> bool:
        return self.state == "expired"


def effect_rows(kinds: Sequence[EffectKind]) -> dict[str, list[EffectRow]]:
    """Kind → its rules in order. Two statements, however many kinds and rules."""
    names = {kind.name: kind for kind in kinds}
    rules: dict[str, list[Rule]] = {name: [] for name in names}
    acts: dict[UUID, Acts] = {}
    applied, now = Decision.objects.filter(outcome=Decision.Outcome.APPLIED), timezone.now()
    lately = applied.filter(created_at__gte=now - timedelta(hours=24)).order_by()
    numbers = dict(lately.values_list("rule_id").annotate(number=Count("pk")))
    last = applied.filter(rule_id=OuterRef("pk")).order_by("-created_at").values("created_at")[:1]
    for rule in (
        Rule.objects.filter(kind__in=names)
        .select_related("modified_by", "created_by")
        .annotate(last_at=Subquery(last))
    ):
        rules[rule.kind].append(rule)
        acts[rule.pk] = Acts(numbers.get(rule.pk, 0), rule.last_at)
    return {name: _rows(names[name], found, acts, now) for name, found in rules.items()}


def _rows(
    kind: EffectKind, rules: Sequence[Rule], acts: Mapping[UUID, Acts], now: datetime
) -> list[EffectRow]:
    specs = [spec_of(rule) for rule in rules]
    ended = [kind.has_ended(spec.action, now) for spec in specs]
    running = [
        replace(spec, enabled=spec.enabled and not over)
        for spec, over in zip(specs, ended, strict=True)
    ]
    shadows = {} if kind.passes_over else shadowed_by(running)
    return [
        EffectRow(
            kind=kind,
            rule=rule,
            action=spec.action,
            number=index + 1,
            state=_state(rule, has_ended=has_ended),
            acts=acts[rule.pk],
            shadowed_by=shadows[index] + 1 if index in shadows else None,
        )
        for index, (rule, spec, has_ended) in enumerate(zip(rules, specs, ended, strict=True))
    ]


def _state(rule: Rule, *, has_ended: bool) -> str:
    if rule.is_broken:
        return "broken"
    if has_ended:
        return "expired"
    return "enabled" if rule.enabled else "disabled"
