"""What each kind of rules is called in a file, and how its rules say what they do there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from automation.kinds.registry import ORDER
from automation.kinds.ticket_creation.action import NAME
from automation.rule_file.actions import ActionFormat, EffectFormat, Member
from automation.rule_file.tickets import TicketFormat

LISTS: Final[Mapping[str, str]] = {
    kind.name: "rules" if kind.name == NAME else kind.resource_type for kind in ORDER
}
"""Kind → its list in the file, in the order in which they act. `rules` were the only ones once."""
DEFAULTS: Final[Mapping[str, str]] = {
    kind.name: f"default_{kind.resource_type}" for kind in ORDER if kind.defaults
}
"""Kind → the list of its rules that come with the product: the ids of those that are on."""
FORMATS: Final[Mapping[str, ActionFormat]] = {
    kind.name: TicketFormat() if kind.name == NAME else EffectFormat(kind) for kind in ORDER
}
_CRITERIA: Final[Mapping[str, Member]] = {
    "id": Member(str, "a text"),
    "name": Member(str, "a text"),
    "enabled": Member(bool, "true or false"),
    "finding_types": Member(list, "a list"),
    "query": Member(str, "a text"),
}


def members_of(kind: str) -> Mapping[str, Member]:
    """What a rule of the kind may have, in the order in which it is written."""
    return {**_CRITERIA, **FORMATS[kind].members}


def required_of(kind: str) -> tuple[str, ...]:
    return ("name", "finding_types", *FORMATS[kind].required)
