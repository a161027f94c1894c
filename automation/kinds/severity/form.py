from __future__ import annotations

from typing import Any

from django import forms

from automation.kinds.action_form import ActionForm
from automation.kinds.severity.action import (
    Delta,
    Level,
    ModifySeverity,
    SetSeverity,
    ShiftSeverity,
)

_NO_SEVERITY = "Select a severity."
_NO_DIRECTION = "Select up or down."
SET, SHIFT = "set", "shift"


class SeverityForm(ActionForm):
    controls = {"severity": "level", "severity_delta": "delta"}

    change = forms.ChoiceField(
        label="Change the severity",
        initial=SET,
        choices=[(SET, "Set a level"), (SHIFT, "Shift by one level")],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select what to change."),
        widget=forms.RadioSelect,
    )
    level = forms.ChoiceField(
        label="New severity",
        required=False,
        choices=[
            (each.value, "Info / None" if each is Level.INFO_NONE else each.value.capitalize())
            for each in Level
        ],
        error_messages={"invalid_choice": _NO_SEVERITY},
        widget=forms.RadioSelect,
    )
    delta = forms.ChoiceField(
        label="Direction",
        required=False,
        choices=[(Delta.UP_ONE.value, "Up"), (Delta.DOWN_ONE.value, "Down")],
        error_messages={"invalid_choice": _NO_DIRECTION},
        widget=forms.RadioSelect,
    )

    def clean_level(self) -> str:
        return self._needed("level", SET, _NO_SEVERITY)

    def clean_delta(self) -> str:
        return self._needed("delta", SHIFT, _NO_DIRECTION)

    def _needed(self, name: str, change: str, error: str) -> str:
        value: str = self.cleaned_data[name]
        if self.cleaned_data.get("change") == change and not value:
            raise forms.ValidationError(error)
        return value

    @classmethod
    def values_of(cls, action: ModifySeverity) -> dict[str, Any]:
        said: dict[str, Any] = {"description": action.description or ""}
        if isinstance(action, SetSeverity):
            return said | {"change": SET, "level": action.severity.value}
        return said | {"change": SHIFT, "delta": action.severity_delta.value}

    def action(self, was: ModifySeverity | None) -> ModifySeverity:
        said = self.cleaned_data
        if said["change"] == SET:
            return SetSeverity(severity=Level(said["level"]), description=self.described)
        return ShiftSeverity(severity_delta=Delta(said["delta"]), description=self.described)
