from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from automation.kinds.action_form import ActionForm, description_field
from automation.kinds.due_date.action import (
    CVE_TYPES,
    CVE_TYPES_ONLY,
    MAX_DAYS,
    WRONG_DAYS,
    DueDays,
    DueFrom,
    SetDueDate,
)
from findings.facts import TYPE_CHOICES, Severity

_RARE = (Severity.NONE, Severity.UNKNOWN)


def _days(severity: Severity) -> forms.IntegerField:
    return forms.IntegerField(
        label=severity.capitalize(),
        required=False,
        error_messages={"invalid": WRONG_DAYS},
        validators=(MinValueValidator(1, WRONG_DAYS), MaxValueValidator(MAX_DAYS, WRONG_DAYS)),
        widget=forms.NumberInput(
            attrs={
                "min": 1,
                "max": MAX_DAYS,
                "class": "input",
                "placeholder": "None",
                "aria-label": f"Days for {severity.capitalize()}",
            }
        ),
    )


class DueDateForm(ActionForm):
    controls = {
        "due_days_per_severity": f"days_{Severity.CRITICAL}",
        "reason_description": "description",
    }

    description = description_field("Where this deadline comes from. Shown on the finding.")
    days_critical = _days(Severity.CRITICAL)
    days_high = _days(Severity.HIGH)
    days_medium = _days(Severity.MEDIUM)
    days_low = _days(Severity.LOW)
    days_info = _days(Severity.INFO)
    days_none = _days(Severity.NONE)
    days_unknown = _days(Severity.UNKNOWN)
    due_from = forms.ChoiceField(
        label="Calculate from",
        initial=DueFrom.FIRST_SEEN.value,
        choices=[
            (DueFrom.FIRST_SEEN.value, "First seen"),
            (DueFrom.FIX_AVAILABLE.value, "Fix available"),
        ],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select where to count from."),
        widget=forms.RadioSelect,
    )

    def rows(self) -> Iterator[tuple[str, forms.BoundField, bool]]:
        """Severity, its field, and whether the row waits to be asked for."""
        for severity in Severity:
            field = self[f"days_{severity}"]
            yield severity.value, field, severity in _RARE and not field.value()

    cve_types_only = CVE_TYPES_ONLY

    @property
    def cve_types(self) -> str:
        """The choices of types for which a date may count from a fix."""
        return " ".join(choice.value for choice in TYPE_CHOICES if choice.wire in CVE_TYPES)

    @property
    def has_rare(self) -> bool:
        return any(self[f"days_{severity}"].value() for severity in _RARE)

    @classmethod
    def values_of(cls, action: SetDueDate) -> dict[str, Any]:
        days = {f"days_{severity}": number for severity, number in action.days.items()}
        return days | {
            "due_from": action.due_from.value,
            "description": action.reason_description or "",
        }

    def action(self, was: SetDueDate | None) -> SetDueDate:
        said = self.cleaned_data
        days = [
            DueDays(severity=severity, due_in_days=number)
            for severity in Severity
            if (number := said[f"days_{severity}"]) is not None
        ]
        return SetDueDate(
            due_from=DueFrom(said["due_from"]),
            due_days_per_severity=days,
            reason_description=self.described,
        )
