"""The kinds of rules, in the order in which they act on a finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.kinds.base import RuleKind
from automation.kinds.due_date.kind import DueDateKind
from automation.kinds.inbox.kind import InboxKind
from automation.kinds.mute.kind import MuteKind
from automation.kinds.severity.kind import SeverityKind
from automation.kinds.ticket_creation.kind import TicketCreation

ORDER: tuple[RuleKind, ...] = (
    SeverityKind(),
    MuteKind(),
    InboxKind(),
    DueDateKind(),
    TicketCreation(),
)
KINDS: Mapping[str, RuleKind] = {kind.name: kind for kind in ORDER}


def kind_of(action: Any) -> RuleKind:
    """The kind that an action is of."""
    for kind in ORDER:
        if isinstance(action, kind.Action):
            return kind
    raise TypeError(f"{type(action).__name__} is not an action of a rule")
