"""The rules in force, compiled once per version and process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from automation.engine.compile import CompiledRules, compile_rules
from automation.engine.rules import RuleSpec
from automation.models import RuleSet, RuleSetVersion


@dataclass(frozen=True, slots=True)
class Rulebook:
    version: int
    specs: Sequence[RuleSpec]
    compiled: CompiledRules

    @property
    def has_enabled(self) -> bool:
        return any(spec.enabled for spec in self.specs)


def current_rulebook() -> Rulebook:
    """The newest version of the rules (one statement; one more when it is new here)."""
    latest = (
        RuleSetVersion.objects.filter(kind=RuleSet.Kind.TICKET_CREATION)
        .order_by("-version")
        .values_list("version", "created_at")
        .first()
    )
    return _load(*latest) if latest else _EMPTY


def specs_of(version: int) -> tuple[RuleSpec, ...]:
    """The rules as they were at that version; version 0 is "no rules yet"."""
    if version == 0:
        return ()
    record = RuleSetVersion.objects.get(kind=RuleSet.Kind.TICKET_CREATION, version=version)
    return tuple(RuleSpec.from_json(rule) for rule in record.rules)


@lru_cache(maxsize=4)
def _load(version: int, created_at: datetime) -> Rulebook:
    """Keyed by time too: a database restored from a back-up counts its versions again."""
    specs = specs_of(version)
    return Rulebook(version, specs, compile_rules(specs))


_EMPTY = Rulebook(0, (), compile_rules(()))
