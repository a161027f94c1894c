from __future__ import annotations

from typing import Any

from django import forms

from config.accounts.models import User
from ticketing.models import Case, Project
from ticketing.selectors import case_by_key
from ticketing.services import MAX_FINDINGS


class _OfFindings(forms.Form):
    """A form about chosen findings, of which a ticket takes only so many at once."""

    def __init__(self, *args: Any, number: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.number = number

    def clean(self) -> dict[str, Any]:
        if self.number > MAX_FINDINGS:
            raise forms.ValidationError(
                f"A ticket takes up to {MAX_FINDINGS} findings at once; {self.number} are "
                "selected. Select fewer."
            )
        return self.cleaned_data


class TicketForm(_OfFindings):
    project = forms.ModelChoiceField(
        label="Case project",
        queryset=Project.objects.all(),
        empty_label=None,
        error_messages={"required": "Select a case project."},
    )
    assignee = forms.ModelChoiceField(
        queryset=User.objects.filter(is_active=True), required=False, empty_label="Unassigned"
    )
    mode = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, number: int, each: bool, **kwargs: Any) -> None:
        super().__init__(*args, number=number, **kwargs)
        self.fields["mode"].initial = "each" if each else "one"


class AttachForm(_OfFindings):
    key = forms.CharField(
        label="Case key",
        max_length=40,
        widget=forms.TextInput(attrs={"placeholder": "SEC-12", "autocomplete": "off"}),
        error_messages={"required": "Enter a case key."},
    )

    def clean_key(self) -> Case:
        """The case under this key, or one that had it before it moved."""
        key = self.cleaned_data["key"].strip().upper()
        case = case_by_key(key)
        if case is None:
            raise forms.ValidationError(f"{key} was not found.")
        if case.archived_at:
            raise forms.ValidationError(f"{key} is archived. Unarchive it first.")
        return case
