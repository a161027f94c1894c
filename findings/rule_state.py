"""What rules and people have set on a finding so far. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Self
from uuid import UUID


class RuleActor(NamedTuple):
    """The rule that does something; default rules have a fixed id, all others a UUID."""

    id: str
    name: str


class RuleState(NamedTuple):
    """Names of columns, but for `due_on`, which is the day of `due_at`."""

    person_severity: str = ""
    rule_severity: str = ""
    severity_rule_id: UUID | None = None
    mute_rule_id: UUID | None = None
    """The finding is muted by this rule now."""
    is_mute_lifted: bool = False
    """A person unmuted it: no rule mutes it until a person does, or it is reported anew."""
    is_in_inbox: bool = False
    inbox_rule_id: str = ""
    inbox_choice: str = ""
    """What a person has chosen: "added", "removed" or "" for nothing."""
    due_on: date | None = None
    due_rule_id: UUID | None = None
    fix_available_at: datetime | None = None
    """When a report first named a fix, if there was none at first."""

    @classmethod
    def read(cls, values: Sequence[Any]) -> Self:
        """From the values of `STATE_COLUMNS`."""
        state = cls._make(values)
        due_at = values[_DUE]
        return state._replace(due_on=due_at.date()) if due_at else state


STATE_COLUMNS = tuple("due_at" if name == "due_on" else name for name in RuleState._fields)
_DUE = STATE_COLUMNS.index("due_at")
