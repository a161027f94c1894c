"""A rule as the engine sees it: criteria, in order. What it does with a match is its kind's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpec:
    id: str
    name: str
    enabled: bool
    finding_types: tuple[str, ...]  # wire types; a rule matches any of them
    query: str
    action: Any = None  # the Struct of the rule's kind; the engine does not look at it
    auto_disabled_reason: str = ""
    is_default: bool = False  # ours, with a fixed id that is no UUID; outside the order

    @property
    def is_broken(self) -> bool:
        return bool(self.auto_disabled_reason)
