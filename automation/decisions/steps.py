"""What each kind of rules that acts on findings has made of one of them, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from automation.decisions.facts import facts_of
from automation.engine.explain import RuleTrace, explain
from automation.engine.rules import RuleSpec
from automation.kinds.base import EffectKind
from automation.kinds.registry import ORDER
from automation.models import Decision
from automation.rules.active import all_active_rules, specs_of
from findings.facts import Facts
from findings.models import Finding
from findings.services import Claimed


@dataclass(frozen=True, slots=True)
class StepExplanation:
    """One step. Where a decision of its kind still holds, the rules are as they were then; where
    none does, because none was made or a person has done otherwise since, as they are now."""

    kind: EffectKind
    number: int  # from 1
    traces: Sequence[RuleTrace]
    decision: Decision | None
    is_skipped: bool = False

    @property
    def matched(self) -> RuleTrace | None:
        return next((trace for trace in self.traces if trace.state == "matched"), None)

    @property
    def tried(self) -> list[RuleTrace]:
        """Of our own default rules the one that matched alone."""
        return [
            trace
            for trace in self.traces
            if trace.state == "matched"
            or (trace.state != "not_evaluated" and not trace.rule.is_default)
        ]

    @property
    def ordered(self) -> int:
        return sum(not trace.rule.is_default for trace in self.traces)


def explain_steps(finding: Finding) -> list[StepExplanation]:
    """In the order of the pipeline. Two statements, and one for each version that is not new."""
    kinds = [kind for kind in ORDER if isinstance(kind, EffectKind)]
    made = Decision.objects.filter(finding=finding, kind__in=[kind.name for kind in kinds])
    decisions = {decision.kind: decision for decision in made.order_by("pk")}
    active = all_active_rules()
    return [
        _explain(kind, number, finding, decisions.get(kind.name), active[kind.name].specs)
        for number, kind in enumerate(kinds, start=1)
    ]


def _explain(
    kind: EffectKind,
    number: int,
    finding: Finding,
    decision: Decision | None,
    specs: Sequence[RuleSpec],
) -> StepExplanation:
    facts, at = finding.facts, timezone.now()
    if decision is not None and not kind.holds(finding, decision.rule_id):
        decision = None
    if decision is not None:
        specs = specs_of(kind.name, decision.rule_set_version)
        facts, at = facts_of(decision), decision.created_at
    seen = Claimed(finding.pk, facts)
    if decision is None and kind.skips(seen):
        return StepExplanation(kind, number, (), None, is_skipped=True)
    return StepExplanation(kind, number, _traces(kind, specs, facts, seen, at), decision)


def _traces(
    kind: EffectKind, specs: Sequence[RuleSpec], facts: Facts, seen: Claimed, at: datetime
) -> Sequence[RuleTrace]:
    return explain(specs, facts, lambda index: kind.accepts(specs[index], seen, at))
