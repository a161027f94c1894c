"""One field of a ticket type: what a person says of it, and how the page draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from ticketing.catalogue.field_values import from_form, raw_help
from ticketing.catalogue.options import Options
from ticketing.fields.priorities import by_severity
from ticketing.fields.raw_json import write_raw
from ticketing.fields.spec import FieldError, FieldKind, FieldSpec, Option, find_option
from ticketing.placeholders import is_constant

PREFIX = "field_"
SAME_AS_SEVERITY = "{{severity}}"
PEOPLE = (FieldKind.USER, FieldKind.USERS)
_MAX_NATIVE = 12
"""So many options a native select takes; of more, one is searched for."""
_HINTS = {
    FieldKind.DATE: "2026-11-23 or {{due_date}}",
    FieldKind.DATETIME: "2026-11-23 10:00 or {{first_seen}}",
    FieldKind.NUMBER: "7.5 or {{@cvss.score}}",
    FieldKind.URL: "https://",
    FieldKind.PARENT: "SEC-123",
    FieldKind.EPIC_LINK: "SEC-123",
    FieldKind.LABELS: "Labels, with spaces between them",
    FieldKind.TEAM: "Id of a team",
    FieldKind.REQUEST_TYPE: "Id of a request type",
    FieldKind.SPRINT: "Number of a sprint, as in 37",
    FieldKind.ASSETS: "Keys or ids, with spaces between them",
    FieldKind.PROJECT: "Key of a space, as in SEC",
}


class JiraField(forms.Field):
    """What a person typed, or chose, becomes what Jira's create metadata wants."""

    widget = forms.MultipleHiddenInput  # hands over a list; the template draws the control

    def __init__(self, spec: FieldSpec, place: Options, *, initial: Sequence[str]) -> None:
        super().__init__(label=spec.name, required=False, initial=initial)
        self.spec = spec
        self._place = place

    def clean(self, value: Sequence[str] | None) -> Any:
        try:
            return from_form(
                self.spec,
                [str(each).replace("\0", "") for each in value or ()],
                type_name=self._place.type_name,
                space=self._place.space_key,
            )
        except FieldError as error:
            raise forms.ValidationError(error.sentence) from error


@dataclass(frozen=True, slots=True)
class Row:
    """The field in the page. `found` are people and teams that are known by name."""

    field: BoundField
    spec: FieldSpec
    found: Sequence[tuple[str, str]] = ()

    @property
    def name(self) -> str:
        return self.field.html_name

    @property
    def id(self) -> str:
        return self.field.auto_id

    @property
    def values(self) -> list[str]:
        return [str(each) for each in self.field.value() or ()]

    @property
    def text(self) -> str:
        return " ".join(self.values)

    @property
    def errors(self) -> list[str]:
        return [str(error) for error in self.field.errors]

    @property
    def hint(self) -> str:
        return _HINTS.get(self.spec.kind, "")

    @property
    def help(self) -> str:
        return raw_help(self.spec) if self.is_raw else ""

    @property
    def described_by(self) -> str:
        """The ids of what the control is explained by."""
        parts = ((self.errors, f"{self.id}_error"), (self.help, f"{self.id}_help"))
        return " ".join(identity for is_there, identity in parts if is_there)

    @property
    def is_raw(self) -> bool:
        return self.spec.kind is FieldKind.RAW

    @property
    def is_area(self) -> bool:
        return self.spec.kind is FieldKind.PARAGRAPH or self.is_raw

    @property
    def is_labels(self) -> bool:
        return self.spec.kind is FieldKind.LABELS

    @property
    def is_many(self) -> bool:
        return self.spec.kind.is_many

    @property
    def is_people(self) -> bool:
        return self.spec.kind in PEOPLE

    @property
    def is_team(self) -> bool:
        return self.spec.kind is FieldKind.TEAM

    @property
    def is_searched(self) -> bool:
        """Whether there is more to choose from than the options that are listed."""
        return self.is_people or (self.is_team and self.spec.has_more_options)

    @property
    def is_combobox(self) -> bool:
        return self.is_many or len(self.spec.options) > _MAX_NATIVE

    @property
    def is_cascading(self) -> bool:
        return self.spec.kind is FieldKind.CASCADING

    @property
    def is_chosen(self) -> bool:
        return bool(self.spec.kind.has_options and self.spec.options) or self.is_people

    @property
    def options(self) -> list[tuple[str, str, bool]]:
        """Value, label, chosen. What is chosen and not offered any more stays to be seen."""
        offered = [(option.id, option.label) for option in self.spec.options]
        if self.spec.kind is FieldKind.PRIORITY:
            offered.insert(0, (SAME_AS_SEVERITY, "Same as finding severity"))
        if self.is_searched:
            listed = {} if self.is_people else dict(offered)
            offered = list((listed | dict(self.found)).items())
        chosen = self.values[:1] if self.is_cascading else self.values
        known = dict(offered)
        strangers = [each for each in chosen if each and each not in known]
        is_gone = self.spec.has_all_options
        offered += [(each, _unknown(each) if is_gone else each) for each in strangers]
        return [(value, label, value in chosen) for value, label in offered]

    @property
    def children(self) -> list[tuple[Option, list[tuple[str, str, bool]]]]:
        """The options below each, of a cascading field."""
        below = self.values[1:2]
        return [
            (option, [(child.id, child.label, child.id in below) for child in option.children])
            for option in self.spec.options
            if option.children
        ]


def words_of(spec: FieldSpec, value: Any) -> str:
    """A filled value in the words of Jira, for the preview."""
    if spec.kind is FieldKind.RAW:
        return value if isinstance(value, str) else write_raw(value)
    items = value if isinstance(value, list) else [value]
    if spec.kind in (FieldKind.TEAM, FieldKind.REQUEST_TYPE):
        items = [{"id": item} for item in items]
    words = ", ".join(word for item in items if (word := _word_of(spec.options, item)))
    meant = by_severity(spec.options, words) if spec.kind is FieldKind.PRIORITY else None
    return meant.label if meant and not find_option(spec.options, words) else words


def _word_of(options: Sequence[Option], item: Any) -> str:
    option = find_option(options, item)
    if option is not None:
        child = item.get("child") if isinstance(item, dict) else None
        below = _word_of(option.children, child) if child else ""
        return f"{option.label} › {below}" if below else option.label
    if isinstance(item, dict):
        item = item.get("value") or item.get("name") or item.get("key") or item.get("id")
    return "" if item is None else str(item)


def _unknown(value: str) -> str:
    return value if not is_constant(value) else f"No longer there ({value})"
