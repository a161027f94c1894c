"""Which of a Jira's priorities stands for a severity, where nobody has mapped them. Pure.

By their names, because sites rename them and drop some. What has no name that is known gets the
nearest one that has; where no name is known, the choice is left to Jira.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ticketing.fields.spec import FieldKind, FieldSpec, Option, find_option

PRIORITY = "priority"
_NAMES = {  # level → names in any case, the best first
    1: ("highest", "critical", "blocker", "urgent", "very high", "p1"),
    2: ("high", "major", "p2"),
    3: ("medium", "normal", "moderate", "p3"),
    4: ("low", "minor", "p4"),
    5: ("lowest", "trivial", "very low", "informational", "info", "p5"),
}
_LEVELS = {"critical": 1, "high": 2, "medium": 3, "low": 4, "info": 5, "none": 5}


def by_level(options: Sequence[Option], level: int) -> Option | None:
    """The priority for a level from 1, the most urgent, to 5."""
    known = {each: option for each in _NAMES if (option := _named(options, each))}
    nearest = min(known, key=lambda each: (abs(each - level), each), default=None)
    return known[nearest] if nearest and level in _NAMES else None


def is_nearest(option: Option, level: int) -> bool:
    """Whether it stands for the level only because there is none of its own."""
    return option.label.strip().casefold() not in _NAMES[level]


def by_severity(options: Sequence[Option], severity: Any) -> Option | None:
    """The priority for a severity by its name, as a placeholder fills it in."""
    word = severity.strip().casefold() if isinstance(severity, str) else ""
    return by_level(options, _LEVELS.get(word, 0))


def default_priority(specs: Iterable[FieldSpec], level: int) -> dict[str, Any]:
    """The field of an issue; nothing where the screen has none, or the choice is Jira's."""
    spec = next((each for each in specs if each.id == PRIORITY), None)
    option = by_level(spec.options, level) if spec else None
    return {PRIORITY: {"id": option.id}} if option else {}


def options_of(specs: Iterable[FieldSpec]) -> Sequence[Option]:
    """The priorities of a create screen; none if it does not have the field."""
    found = (spec.options for spec in specs if spec.kind is FieldKind.PRIORITY)
    return next(found, ())


def _named(options: Sequence[Option], level: int) -> Option | None:
    found = (find_option(options, name) for name in _NAMES[level])
    return next((option for option in found if option), None)
