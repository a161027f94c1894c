from __future__ import annotations

from datetime import UTC, date
from typing import Any

from django import forms
from django.forms.boundfield import BoundWidget
from django.utils import timezone

from automation.kinds.action_form import ActionForm
from automation.kinds.mute.action import MuteFinding, Reason
from config.lib.utc import epoch_ms, midnight

_PAST = "Pick a day after today."
NEVER, ON_A_DATE = "never", "date"
ABOUT = {
    Reason.DUPLICATE: "Tracked elsewhere",
    Reason.FALSE_POSITIVE: "Not a real problem",
    Reason.NO_FIX: "Nothing to apply yet",
    Reason.PENDING_FIX: "A fix is on its way",
    Reason.RISK_ACCEPTED: "Known and accepted",
    Reason.OTHER: "Say it below",
}


class MuteForm(ActionForm):
    controls = {"expire_at": "expires_on", "reason_description": "description"}

    reason = forms.ChoiceField(
        label="Reason",
        choices=[(each.value, each.label) for each in ABOUT],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select a reason."),
        widget=forms.RadioSelect,
    )
    expires = forms.ChoiceField(
        label="The rule expires",
        initial=NEVER,
        choices=[(NEVER, "Never"), (ON_A_DATE, "On a date")],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select when it expires."),
        widget=forms.RadioSelect,
    )
    expires_on = forms.DateField(
        label="Expires on",
        required=False,
        error_messages={"invalid": _PAST},
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "input"}),
    )

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        if self.cleaned_data.get("expires") != ON_A_DATE:
            return None
        if day is None or day <= timezone.now().astimezone(UTC).date():
            raise forms.ValidationError(_PAST)
        return day

    def reasons(self) -> list[tuple[BoundWidget, str]]:
        """Each choice, and what it is for."""
        return list(zip(self["reason"], ABOUT.values(), strict=True))

    @property
    def days_left(self) -> int | None:
        """Until the day in the field; None if there is none after today."""
        day = self["expires_on"].value()
        try:
            on = date.fromisoformat(day) if isinstance(day, str) else day
        except ValueError:
            return None
        left = (on - timezone.now().astimezone(UTC).date()).days if on else 0
        return left if left > 0 else None

    @classmethod
    def values_of(cls, action: MuteFinding) -> dict[str, Any]:
        return {
            "reason": action.reason.value,
            "description": action.reason_description or "",
            "expires": ON_A_DATE if action.expires else NEVER,
            "expires_on": action.expires.date() if action.expires else None,
        }

    def action(self, was: MuteFinding | None) -> MuteFinding:
        said = self.cleaned_data
        return MuteFinding(
            reason=Reason(said["reason"]),
            reason_description=self.described,
            expire_at=_expire_at(said["expires_on"], was),
        )


def _expire_at(day: date | None, was: MuteFinding | None) -> int | None:
    """In milliseconds; the moment of the rule as it is, if that is on the same day."""
    if day is None:
        return None
    if was is not None and was.expires is not None and was.expires.date() == day:
        return was.expire_at
    return epoch_ms(midnight(day))
