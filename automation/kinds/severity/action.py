"""What a severity rule says, and what it makes of the scanner's severity. Pure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from automation.kinds.description import Description
from findings.facts import FindingType, Severity


class Level(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO_NONE = "info_none"


class Delta(StrEnum):
    UP_ONE = "up_one"
    DOWN_ONE = "down_one"


class SetSeverity(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="set"):
    severity: Level
    description: Description | None = None


class ShiftSeverity(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="shift"):
    severity_delta: Delta
    description: Description | None = None


ModifySeverity = SetSeverity | ShiftSeverity

FLOOR_IS_LOW = frozenset(
    {FindingType.IAC, FindingType.RUNTIME_CODE, FindingType.SECRET, FindingType.STATIC_CODE}
)
_NONE_BELOW_LOW = frozenset({FindingType.HOST_AND_CONTAINER, FindingType.LIBRARY})
_LEVELS = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


def lowest(finding_type: str) -> Severity:
    """The lowest severity that a finding of the type can have."""
    if finding_type in FLOOR_IS_LOW:
        return Severity.LOW
    return Severity.NONE if finding_type in _NONE_BELOW_LOW else Severity.INFO


def modified(action: ModifySeverity, severity: str, finding_type: str) -> Severity:
    """The severity that the rule makes of the scanner's; the same where it changes nothing."""
    was = Severity(severity)
    if isinstance(action, ShiftSeverity):
        return _shifted(was, action.severity_delta, finding_type)
    if action.severity is Level.INFO_NONE:
        return lowest(finding_type)
    return Severity(action.severity.value)


def _shifted(was: Severity, delta: Delta, finding_type: str) -> Severity:
    if was is Severity.UNKNOWN:
        return was
    # Info and none are one step, whichever of them is the type's own.
    bottom = lowest(finding_type) if was in _LEVELS else was
    ladder = tuple(dict.fromkeys((bottom, *_LEVELS)))
    step = 1 if delta is Delta.UP_ONE else -1
    return ladder[min(max(ladder.index(was) + step, 0), len(ladder) - 1)]
