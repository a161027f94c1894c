"""What a severity rule does, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.kinds.severity.action import Delta, Level, ModifySeverity, SetSeverity
from automation.kinds.severity.scanner_severity import named
from findings.facts import Severity

_STEPS = {
    Delta.UP_ONE: "High → Critical, Medium → High, …",
    Delta.DOWN_ONE: "Critical → High, High → Medium, …",
}


def describe(action: ModifySeverity, query: str) -> Mapping[str, Any]:
    if not isinstance(action, SetSeverity):
        is_up = action.severity_delta is Delta.UP_ONE
        return {
            "direction": "Up" if is_up else "Down",
            "icon": "arrow-up" if is_up else "arrow-down",
            "steps": _STEPS[action.severity_delta],
        }
    is_level = action.severity is not Level.INFO_NONE
    to = action.severity.value.capitalize() if is_level else "Info / None"
    asked = named(query)
    return {
        "to": to,
        "pill": action.severity.value if is_level else "",
        "was": [each.value for each in Severity if each.value in asked],
    }
