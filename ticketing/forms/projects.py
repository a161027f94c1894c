from __future__ import annotations

from django import forms


class NewProjectForm(forms.Form):
    """Shape only: what a key may be and which are taken, the service says."""

    name = forms.CharField(label="Project name", error_messages={"required": "Enter a name."})
    key = forms.CharField(
        widget=forms.TextInput(attrs={"class": "mono", "placeholder": "SEC"}),
        error_messages={"required": "Enter a key."},
        help_text=(
            "1 to 10 capital letters or digits. Cases are numbered after it, and it never changes."
        ),
    )


class EditProjectForm(forms.Form):
    name = forms.CharField(label="Project name", error_messages={"required": "Enter a name."})
    closes_with_findings = forms.BooleanField(required=False)
    reopens_with_findings = forms.BooleanField(required=False)
    reopens_wont_fix = forms.BooleanField(required=False)
