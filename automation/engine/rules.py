"""A rule as the engine sees it, and as rule-set versions keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSpec:
    id: str
    name: str
    enabled: bool
    finding_types: tuple[str, ...]  # wire types; a rule matches any of them
    query: str
    target: str
    project_id: str
    assignee_id: str | None = None
    max_tickets_per_day: int
    fields: Mapping[str, Any] | None = None
    auto_disabled_reason: str = ""

    @property
    def is_broken(self) -> bool:
        return bool(self.auto_disabled_reason)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The rule in one element of `RuleSetVersion.rules`; KeyError if a part is missing."""
        values = {field.name: data[field.name] for field in fields(cls)}
        return cls(**values | {"finding_types": tuple(values["finding_types"])})

    def to_json(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"finding_types": list(self.finding_types)}
