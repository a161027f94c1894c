"""Rules that come with the product, as they are switched now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from automation.engine.rules import RuleSpec
from automation.kinds.base import RuleKind
from automation.models import DefaultRule


@dataclass(frozen=True, slots=True)
class DefaultRow:
    spec: RuleSpec
    state: DefaultRule  # not stored where nobody has switched it yet


def default_rows(kind: RuleKind) -> Sequence[DefaultRow]:
    """In their order. One statement, or none for a kind without such rules."""
    if not kind.defaults:
        return ()
    ids = [spec.id for spec in kind.defaults]
    stored = DefaultRule.objects.select_related("modified_by").in_bulk(ids)
    states = [stored.get(spec.id) or _shipped(spec) for spec in kind.defaults]
    return [
        DefaultRow(replace(spec, enabled=state.enabled), state)
        for spec, state in zip(kind.defaults, states, strict=True)
    ]


def default_specs(kind: RuleKind) -> Sequence[RuleSpec]:
    """The same, as the engine knows them."""
    return [row.spec for row in default_rows(kind)]


def _shipped(spec: RuleSpec) -> DefaultRule:
    """What is so as long as nobody has switched the rule."""
    return DefaultRule(id=spec.id, name=spec.name, enabled=spec.enabled)
