"""A plan in words, for who is about to put it in force."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from automation.kinds.registry import KINDS
from automation.kinds.ticket_creation.action import NAME
from automation.preview import DAYS, Effect
from automation.preview_findings import MAX_FINDINGS
from automation.rule_file.plan import KindPlan, Plan
from config.lib.statement_timeout import SECONDS

_SIGNS = {"created": "+", "edited": "~", "deleted": "-"}
_MAX_LENGTH = 200


def describe(plan: Plan) -> Iterator[str]:
    """The lines of the plan."""
    for line, sentence in plan.warnings:
        yield f"warning: line {line}: {sentence}"
    if plan.is_empty:
        yield "No changes."
        return
    for each in plan.kinds:
        yield from _changes(each)
    for switch in plan.switches:
        done = "enabled" if switch.enabled else "disabled"
        yield f"~ {done} default {rules_of(switch.kind).removesuffix('s')}: {switch.name}"
    yield ""
    if plan.rechecks:
        yield "Open findings are looked at again within two hours."
    if plan.effect is not None:
        yield from _effect(plan.effect, plan.names)


def rules_of(kind: str) -> str:
    """What rules of the kind are called: ticket rules were the only ones once."""
    return "rules" if kind == NAME else KINDS[kind].resource_type.replace("_", " ")


def _changes(plan: KindPlan) -> Iterator[str]:
    rule = rules_of(plan.kind).removesuffix("s")
    for change in plan.changes:
        yield f"{_SIGNS[change.kind]} {change.kind} {rule} {change.number}: {change.name}"
        for field, before, after in change.fields:
            yield f"    {field}: {_shown(before)} → {_shown(after)}"
    if plan.order:
        of = "" if plan.kind == NAME else f" of {rule}s"
        yield f"↕ order{of}: " + ", ".join(plan.order)


def _effect(effect: Effect, names: Mapping[str, str]) -> Iterator[str]:
    made, moved, dropped = (
        sum(counts.values()) for counts in (effect.made, effect.moved, effect.dropped)
    )
    newest = "newest " if effect.is_cut else ""
    yield f"Of the {newest}{effect.findings:,} findings that opened in the last {DAYS} days:"
    yield f"  {made:,} more would have a ticket, {dropped:,} would have none any more,"
    yield f"  {moved:,} would have it from another rule, {effect.stayed:,} from the same."
    for rule, number in effect.made.items():
        yield f"    + {number:,} by {names[rule]}"
    for (before, after), number in effect.moved.items():
        yield f"    → {number:,} from {names[before]} to {names[after]}"
    for rule, number in effect.dropped.items():
        yield f"    - {number:,} by {names[rule]}"
    if effect.is_cut:
        bounds = f"at most {MAX_FINDINGS:,} are, and for {SECONDS} s"
        yield f"  (Older ones were not looked at: {bounds}.)"


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
