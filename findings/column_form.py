"""Which column of a table means which of our fields, as a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.http import QueryDict

from findings.facts import TYPE_CHOICES, FindingType, Severity
from findings.formats.generic_columns import ColumnMap, called, column_for

_NONE = ("", "Not in the table")


class _Asked(NamedTuple):
    label: str
    help: str = ""
    values: Sequence[tuple[str, str]] = ()  # for rows that say nothing themselves


def _type_label(wire: FindingType) -> str:
    return " or ".join(choice.label for choice in TYPE_CHOICES if choice.wire == wire)


ASKED: Mapping[str, _Asked] = {
    "title": _Asked("Title"),
    "severity": _Asked(
        "Severity", values=[(f"={each.value}", each.value.capitalize()) for each in Severity]
    ),
    "finding_type": _Asked(
        "Finding type",
        "Without one it follows from what else a row says.",
        [(f"={each.value}", _type_label(each)) for each in FindingType],
    ),
    "resource": _Asked("Resource", "Where the problem is: a host, an address, a repository."),
    "description": _Asked("Description"),
    "remediation": _Asked("Remediation"),
    "cvss": _Asked("CVSS score"),
    "cve": _Asked("CVE"),
    "package": _Asked("Package"),
    "file": _Asked("File"),
    "fingerprint": _Asked(
        "Fingerprint", "What tells a finding again. Without one: type, resource and title."
    ),
}


class ColumnsForm(forms.Form):
    def __init__(
        self, data: QueryDict | None, *, columns: Sequence[str], mapped: ColumnMap
    ) -> None:
        self._by_name = {field: column_for(field, columns) for field in ASKED}
        chosen = {
            field: column if column.startswith("=") else called(column, columns) or ""
            for field, column in mapped.items()
        }
        super().__init__(data, initial=self._by_name | chosen)
        for field, asked in ASKED.items():
            self.fields[field] = forms.ChoiceField(
                label=asked.label,
                help_text=asked.help,
                required=field == "title",
                choices=_choices(columns, asked),
                error_messages={"required": "Choose the column of the title."},
            )

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = self.cleaned_data
        if "severity" in said and not said["severity"] and not said.get("cvss"):
            self.add_error("severity", "Choose a column or a value, or a column of CVSS scores.")
        return said

    @property
    def column_map(self) -> dict[str, str]:
        """What was chosen; "" only where the name of a column says otherwise."""
        chosen: dict[str, str] = self.cleaned_data
        return {field: column for field, column in chosen.items() if column or self._by_name[field]}


def _choices(columns: Sequence[str], asked: _Asked) -> list[tuple[str, Any]]:
    named = [_NONE, *((each, each) for each in columns)]
    return [*named, ("Of rows without one", list(asked.values))] if asked.values else named
