"""A report that a person sends from a page, as a form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from findings.formats.registry import FORMATS
from findings.imports.queue import MAX_BYTES


class UploadForm(forms.Form):
    """A report file from a person's computer."""

    file = forms.FileField(
        label="Report file",
        max_length=255,
        help_text="Plain, gzip, zip or FPR, up to 200 MB. Send larger ones through the API.",
        allow_empty_file=True,  # some scanners write nothing when they find nothing
        error_messages={"required": "Choose a report file."},
    )
    source = forms.CharField(
        max_length=100,
        required=False,
        help_text="Who sends it. If left empty, the scanner that the report names.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "list": "source-names"}),
    )
    scope = forms.CharField(
        max_length=200,
        required=False,
        help_text="What the report covers: a repository, an image, an account. A later report of "
        "the same scope resolves what it no longer holds. "
        "If left empty, what the report names.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    is_partial = forms.BooleanField(
        label="Only a part of its scope: resolve nothing that it lacks", required=False
    )
    format = forms.ChoiceField(
        choices=[("", "Recognise by content"), *((each.NAME, each.LABEL) for each in FORMATS)],
        required=False,
    )

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError("The file is larger than 200 MB.")
        return file

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        is_named = given.get("format") and given.get("scope")
        if "file" in given and not given["file"].size and not is_named:
            self.add_error("file", "The file is empty. Name format and scope if nothing was found.")
        return given
