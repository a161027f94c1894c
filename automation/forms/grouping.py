"""One ticket for: what the findings of one ticket have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from django import forms

from findings.grouping import (
    GROUP_FIELDS,
    MAX_FIELDS,
    GroupField,
    UnknownGroupField,
    group_field,
    group_fields,
    label_of,
)

EACH_FINDING, OTHER, REOPEN = "finding", "other", "reopen"
OFFERED = ("package", "vulnerability", "resource")
FIELD_NAMES = tuple(f"group_field_{n}" for n in range(1, MAX_FIELDS + 1))
_WHEN_CLOSED = (("new", "Create a new ticket and link the two"), (REOPEN, "Reopen it instead"))
_ORDINALS = ("First field", "Second field", "Third field")
_BY_LABEL = {
    word: field.name
    for field in GROUP_FIELDS.values()
    for word in (field.label.lower(), field.short.lower())
}


class Choice(NamedTuple):
    """A row of the list; `fields` is what the preview counts for it."""

    value: str
    label: str
    fields: tuple[str, ...]
    is_chosen: bool


class GroupingPart(forms.Form):
    """A part of the rule editor."""

    one_ticket_for = forms.ChoiceField(
        label="One ticket for",
        choices=[
            (EACH_FINDING, "each finding"),
            *((name, f"each {GROUP_FIELDS[name].label}") for name in OFFERED),
            (OTHER, "other fields…"),
        ],
        initial=EACH_FINDING,
        required=False,
    )
    group_field_1, group_field_2, group_field_3 = (
        forms.CharField(
            label=label,
            required=False,
            max_length=2_200,
            widget=forms.TextInput(
                attrs={
                    "class": "input",
                    "list": "group-fields",
                    "autocomplete": "off",
                    "data-chip": "",
                }
            ),
        )
        for label in _ORDINALS
    )
    when_closed = forms.ChoiceField(
        label="When a group’s ticket is closed and more findings come",
        choices=_WHEN_CLOSED,
        required=False,
    )

    def grouping(self) -> list[str] | None:
        """The fields of a cleaned form; None for a ticket each."""
        chosen = self.cleaned_data.get("one_ticket_for") or EACH_FINDING
        if chosen == EACH_FINDING:
            return None
        return self._other_fields() if chosen == OTHER else [chosen]

    def reopens_closed(self) -> bool | None:
        return (self.grouping() and self.cleaned_data.get("when_closed") == REOPEN) or None

    def clean_grouping(self) -> None:
        """The fields that are typed, each at its own place, and then together."""
        if self.cleaned_data.get("one_ticket_for") != OTHER:
            return
        for name in FIELD_NAMES:
            text = self.cleaned_data.get(name) or ""
            if text:
                self._try(name, partial(group_field, _name_of(text)))
        if not any(name in self.errors for name in FIELD_NAMES):
            self._try(FIELD_NAMES[0], partial(group_fields, self._other_fields()))

    def _try(self, name: str, read: Callable[[], object]) -> None:
        try:
            read()
        except UnknownGroupField as refusal:
            self.add_error(name, str(refusal))

    def _other_fields(self) -> list[str]:
        texts = (self.cleaned_data.get(name) or "" for name in FIELD_NAMES)
        return [_name_of(text) for text in texts if text]

    def grouping_choices(self, own: tuple[str, ...]) -> list[Choice]:
        """`own` is the grouping as far as it can be read."""
        chosen = self["one_ticket_for"].value() or EACH_FINDING
        fields = {EACH_FINDING: (), OTHER: own if chosen == OTHER else ("",)}
        return [
            Choice(str(value), str(label), fields.get(str(value), (str(value),)), value == chosen)
            for value, label in self.fields["one_ticket_for"].choices  # type: ignore[attr-defined]
        ]

    @property
    def group_field_options(self) -> list[GroupField]:
        return list(GROUP_FIELDS.values())


def initial_grouping(fields: Sequence[str], *, reopens: bool) -> dict[str, Any]:
    """What the form shows of a rule's action."""
    when_closed = REOPEN if reopens else "new"
    if not fields:
        return {"one_ticket_for": EACH_FINDING, "when_closed": when_closed}
    if len(fields) == 1 and fields[0] in OFFERED:
        return {"one_ticket_for": fields[0], "when_closed": when_closed}
    shown = (_shown(name) for name in fields)
    return {
        "one_ticket_for": OTHER,
        "when_closed": when_closed,
        **dict(zip(FIELD_NAMES, shown, strict=False)),
    }


def linked_grouping(params: Mapping[str, str]) -> dict[str, str]:
    """What a link chooses in a rule's editor; nothing of it is saved yet."""
    return {name: params[name] for name in ("one_ticket_for", *FIELD_NAMES) if name in params}


def _shown(name: str) -> str:
    return label_of([name]).capitalize() if name in GROUP_FIELDS else name


def _name_of(text: str) -> str:
    """A field by its name or by its label."""
    text = text.strip()
    return _BY_LABEL.get(text.lower(), text)
