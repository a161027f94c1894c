"""Which column of a table means which of our fields, as a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.http import QueryDict

from findings.facts import TYPE_CHOICES, FindingType, Severity
from findings.formats.shapes.generic_columns import ColumnMap, called, column_for

_NONE = ("", "Not in the table")


class _Field(NamedTuple):
    label: str
    help: str = ""
    values: Sequence[tuple[str, str]] = ()  # for rows that say nothing themselves


def _type_label(wire: FindingType) -> str:
    return " or ".join(choice.label for choice in TYPE_CHOICES if choice.wire == wire)


FIELDS: Mapping[str, _Field] = {
    "title": _Field("Title"),
    "severity": _Field(
        "Severity", values=[(f"={each.value}", each.value.capitalize()) for each in Severity]
    ),
    "finding_type": _Field(
        "Finding type",
        "Without one it follows from what else a row says.",
        [(f"={each.value}", _type_label(each)) for each in FindingType],
    ),
    "resource": _Field("Resource", "Where the problem is: a host, an address, a repository."),
    "description": _Field("Description"),
    "remediation": _Field("Remediation"),
    "cvss": _Field("CVSS score"),
    "cve": _Field("CVE"),
    "package": _Field("Package"),
    "file": _Field("File"),
    "fingerprint": _Field(
        "Fingerprint", "What tells a finding again. Without one: type, resource and title."
    ),
}


class ColumnsForm(forms.Form):
    def __init__(
        self, data: QueryDict | None, *, columns: Sequence[str], mapped: ColumnMap
    ) -> None:
        self._by_name = {field: column_for(field, columns) for field in FIELDS}
        chosen = {
            field: column if column.startswith("=") else called(column, columns) or ""
            for field, column in mapped.items()
        }
        super().__init__(data, initial=self._by_name | chosen)
        for name, field in FIELDS.items():
            self.fields[name] = forms.ChoiceField(
                label=field.label,
                help_text=field.help,
                required=name == "title",
                choices=_choices(columns, field),
                error_messages={"required": "Choose the column of the title."},
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        if "severity" in cleaned and not cleaned["severity"] and not cleaned.get("cvss"):
            self.add_error("severity", "Choose a column or a value, or a column of CVSS scores.")
        return cleaned

    @property
    def column_map(self) -> dict[str, str]:
        """What was chosen; "" only where the name of a column says otherwise."""
        chosen: dict[str, str] = self.cleaned_data
        return {field: column for field, column in chosen.items() if column or self._by_name[field]}


def _choices(columns: Sequence[str], field: _Field) -> list[tuple[str, Any]]:
    named = [_NONE, *((each, each) for each in columns)]
    return [*named, ("Of rows without one", list(field.values))] if field.values else named
