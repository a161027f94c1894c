"""The rules in force, compiled once per version and process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from automation.engine.compile import CompiledRules, compile_rules
from automation.engine.rules import RuleSpec
from automation.kinds.registry import KINDS
from automation.models import RuleSet, RuleSetVersion
from automation.rules.data import CANNOT_BE_READ, UNREADABLE, spec_from_json, unreadable_spec
from automation.rules.faults import without_faulty
from automation.rules.versions import rules_at
from findings.facts import Facts


@dataclass(frozen=True, slots=True)
class ActiveRules:
    """The rules of one kind, in order."""

    version: int
    specs: Sequence[RuleSpec]
    compiled: CompiledRules
    faults: Mapping[UUID, str] = field(default_factory=dict)
    """Enabled rules that cannot be evaluated, and why; they match nothing."""
    has_enabled: bool = False

    def first_match(
        self, facts: Facts, accepts: Callable[[int], bool] | None = None
    ) -> RuleSpec | None:
        index = self.compiled.first_match(facts, accepts)
        return None if index is None else self.specs[index]


def active_rules(kind: str) -> ActiveRules:
    """The newest version of one kind's rules."""
    return all_active_rules()[kind]


def all_active_rules() -> dict[str, ActiveRules]:
    """The newest version of each kind's rules (one statement; one more for each that is new
    here)."""
    written = RuleSetVersion.objects.filter(kind=OuterRef("kind"), version=OuterRef("version"))
    rows = RuleSet.objects.annotate(written_at=Subquery(written.values("created_at")[:1]))
    newest = {
        kind: (version, written_at)
        for kind, version, written_at in rows.values_list("kind", "version", "written_at")
        if written_at is not None
    }
    return {kind: _load(kind, *newest[kind]) if kind in newest else _NONE for kind in KINDS}


def specs_of(kind: str, version: int) -> tuple[RuleSpec, ...]:
    """The rules as they were at that version; version 0 is "no rules yet"."""
    if version == 0:
        return ()
    return tuple(_spec(kind, stored) for stored in rules_at(kind, version))


def _spec(kind: str, stored: Mapping[str, Any]) -> RuleSpec:
    try:
        return spec_from_json(kind, stored)
    except UNREADABLE:  # it stops none of the others
        return unreadable_spec(
            str(stored.get("id", UUID(int=0))),
            str(stored.get("name", "")),
            is_default=bool(stored.get("is_default")),
        )


@lru_cache(maxsize=16)
def _load(kind: str, version: int, written_at: datetime) -> ActiveRules:
    """Keyed by time too: a database restored from a back-up counts its versions again."""
    stored = rules_at(kind, version) if version else ()
    specs: Sequence[RuleSpec] = [_spec(kind, each) for each in stored]
    faults = {
        UUID(spec.id): CANNOT_BE_READ
        for spec, each in zip(specs, stored, strict=True)
        if spec.action is None and each.get("enabled") and not spec.is_default
    }
    try:
        compiled = compile_rules(specs)
    except Exception:  # noqa: BLE001  a stored rule that raises is its own problem
        specs, uncompiled = without_faulty(specs)
        compiled = compile_rules(specs)
        faults |= uncompiled
    for index, message in compiled.faults.items():
        if specs[index].enabled and not specs[index].is_default:
            faults[UUID(specs[index].id)] = f"Its query cannot be read: {message}."
    return ActiveRules(version, specs, compiled, faults, any(spec.enabled for spec in specs))


_NONE = ActiveRules(0, (), compile_rules(()))
