"""When an issue is closed in Jira: what a project answers to the fields that Jira asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField

from ticketing import placeholders
from ticketing.close_reasons import RESOLUTIONS, CloseReason
from ticketing.closing_answers import names_in
from ticketing.destinations import Answer
from ticketing.forms.sync import Choice
from ticketing.issues import ClosingBlock
from ticketing.models import ClosingAnswer, Destination

MAX_VALUE, MAX_NAME = 32_767, 255
_SENT = re.compile(r"closing_name_(?P<id>[A-Za-z][A-Za-z0-9_.-]{0,254})")


class Group(NamedTuple):
    """The answers for one reason."""

    reason: CloseReason
    fields: Sequence[BoundField]


class ClosingForm(forms.Form):
    """One field for each reason and each field of Jira; only what is sent is changed.

    `offered` are fields that can be added, `added` is the one that was chosen last.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        destination: Destination,
        blocks: Sequence[ClosingBlock] = (),
        offered: Sequence[Choice] = (),
        added: str = "",
    ) -> None:
        super().__init__(data)
        said = {(each.reason, each.field): each.value for each in destination.closing_answers.all()}
        self.names = self._names(destination, blocks, offered, added)
        for reason in CloseReason:
            for field, name in self.names.items():
                self._add(reason, field, name, said.get((reason, field), ""))
        others = [(each.id, each.name) for each in offered if each.id not in self.names]
        self.fields["closing_add"] = forms.ChoiceField(
            label="Another field that Jira asks for",
            required=False,
            choices=[("", "Select a field"), *others],
            error_messages={"invalid_choice": "This field is no longer offered. Select another."},
        )

    def _names(
        self,
        destination: Destination,
        blocks: Sequence[ClosingBlock],
        offered: Sequence[Choice],
        added: str,
    ) -> dict[str, str]:
        """Id → name of the fields that are shown: the resolution first."""
        names = {ClosingAnswer.RESOLUTION: "Resolution"}
        names |= {each.field: each.name for each in destination.closing_answers.all()}
        names |= {block.field: block.name for block in blocks}
        known = {each.id: each.name for each in offered}
        sent = {
            found["id"]: str(value).replace("\0", "")[:MAX_NAME]
            for name, value in self.data.items()
            if (found := _SENT.fullmatch(name)) and value
        }
        if added in known:
            sent[added] = known[added]
        return names | {id_: known.get(id_, name) for id_, name in sent.items() if id_ not in names}

    def _add(self, reason: CloseReason, field: str, name: str, value: str) -> None:
        is_resolution = field == ClosingAnswer.RESOLUTION
        usual = ", ".join(RESOLUTIONS[reason])
        self.fields[_name(reason, field)] = forms.CharField(
            label=name,
            required=False,
            max_length=MAX_NAME if is_resolution else MAX_VALUE,
            initial=value,
            widget=forms.TextInput(attrs={"placeholder": usual})
            if is_resolution
            else forms.Textarea(attrs={"rows": 1, "class": "ta"}),
            error_messages={
                "max_length": f"{name} is longer than %(limit_value)d characters.",
            },
        )

    def clean(self) -> dict[str, Any]:
        for reason in CloseReason:
            for field in self.names:
                name = _name(reason, field)
                try:
                    self._check(field, self.cleaned_data.get(name, ""))
                except placeholders.PlaceholderError as error:
                    self.add_error(name, error.sentence)
        return self.cleaned_data

    def _check(self, field: str, value: str) -> None:
        if field == ClosingAnswer.RESOLUTION and "{{" in value:
            raise placeholders.PlaceholderError(0, "A resolution is chosen by its name.")
        placeholders.check(value)

    @property
    def groups(self) -> Iterator[Group]:
        for reason in CloseReason:
            yield Group(reason, [self[_name(reason, field)] for field in self.names])

    @property
    def answers(self) -> list[Answer]:
        """What was sent; an empty value takes an answer away."""
        return [
            Answer(reason, field, name, _clean(field, self.cleaned_data[sent]))
            for reason in CloseReason
            for field, name in self.names.items()
            if (sent := _name(reason, field)) in self.data
        ]


def _name(reason: CloseReason, field: str) -> str:
    return f"closing_{reason}_{field}"


def _clean(field: str, value: str) -> str:
    if field == ClosingAnswer.RESOLUTION:
        return ", ".join(names_in(value))
    return value.replace("\r\n", "\n")
