"""Why a finding got the rule it got: each rule in order, each criterion with what was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from automation.engine.compile import compile_rules
from automation.engine.criteria import (
    CriterionTrace,
    query_criterion,
    severity_criterion,
    type_criterion,
)
from automation.engine.rules import RuleSpec
from findings.facts import Facts
from findings.query.form import split
from findings.query.parse import parse_rule_query

State = Literal[
    "matched", "passed_over", "no_match", "disabled", "broken", "not_evaluated", "fault"
]


@dataclass(frozen=True, slots=True)
class RuleTrace:
    index: int
    rule: RuleSpec
    state: State
    criteria: tuple[CriterionTrace, ...] = ()  # of the rules that were tried

    @property
    def first_failed(self) -> CriterionTrace | None:
        return next((each for each in self.criteria if not each.ok), None)


def explain(
    specs: Sequence[RuleSpec], facts: Facts, accepts: Callable[[int], bool] | None = None
) -> tuple[RuleTrace, ...]:
    """What `first_match` does with the finding: its answer is the one `matched` rule.

    One that matches and is not accepted is `passed_over`.
    """
    compiled = compile_rules(specs)
    matched = compiled.first_match(facts, accepts)
    traces = []
    for index, spec in enumerate(specs):
        state = _state(index, spec, matched, is_fault=index in compiled.faults)
        if state in ("matched", "no_match"):
            criteria = _criteria(spec, facts)
        elif state == "fault":
            criteria = (CriterionTrace("Tags", ok=False, sentence=compiled.faults[index]),)
        else:
            criteria = ()
        if state == "no_match" and all(each.ok for each in criteria):
            state = "passed_over"
        traces.append(RuleTrace(index, spec, state, criteria))
    return tuple(traces)


def _state(index: int, spec: RuleSpec, matched: int | None, *, is_fault: bool) -> State:
    if matched is not None and index > matched:
        return "not_evaluated"
    if not spec.enabled:
        return "broken" if spec.is_broken else "disabled"
    if is_fault:
        return "fault"
    return "matched" if index == matched else "no_match"


def _criteria(spec: RuleSpec, facts: Facts) -> tuple[CriterionTrace, ...]:
    criteria = split(spec.query)
    return (
        type_criterion(facts, spec.finding_types, criteria.narrowed),
        query_criterion(facts, parse_rule_query(criteria.text).root),
        severity_criterion(facts, criteria.severities),
    )
