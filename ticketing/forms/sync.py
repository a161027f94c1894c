from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from django import forms
from django.forms import BoundField

from ticketing.destinations import SyncSettings
from ticketing.fields.priorities import by_level, is_nearest
from ticketing.fields.spec import FieldKind, FieldSpec, Option
from ticketing.models import DUE_DATE_FIELD, Case, Destination, SyncMode

FIELDS = {  # name → label, what stands for what unless it is mapped
    "title": ("Title", ""),
    "description": ("Description", ""),
    "status": ("Status", "Chosen by its meaning"),
    "assignee": ("Assignee", "Matched by email, else shown by name"),
    "priority": ("Priority", "Chosen by its name"),
    "comments": ("Comments", ""),
    "due_date": ("Due date", ""),
}
_LEFT_TO_JIRA = "Left to Jira: a new ticket has no priority there that is known by its name"
_PRIORITIES = [each for each in Case.Priority.choices if each[0] != Case.Priority.NOT_DEFINED]


class Choice(NamedTuple):
    """A status or a priority of a Jira."""

    id: str
    name: str


class Row(NamedTuple):
    """One line of the table: a field, its mode, what stands for what."""

    label: str
    mode: BoundField
    mapping: Sequence[BoundField]
    note: str


class SyncForm(forms.Form):
    """Data Sync Settings of a project. `statuses` and `priorities` are those of its Jira,
    `offered` the priorities that a new ticket may have there (None: not known), and
    `date_fields` the fields that its due date may be in.

    What is mapped already stays a choice, even where Jira does not name it (any more).
    """

    no_way_back = forms.ChoiceField(
        label="When a finding returns and the workflow does not lead back",
        choices=Destination.NoWayBack.choices,
    )

    def __init__(
        self,
        *args: Any,
        destination: Destination,
        statuses: Sequence[Choice] = (),
        priorities: Sequence[Choice] = (),
        offered: Sequence[Option] | None = None,
        date_fields: Sequence[FieldSpec] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.destination = destination
        self.fields["no_way_back"].initial = destination.no_way_back
        for name, (label, _) in FIELDS.items():
            self.fields[f"sync_{name}"] = forms.ChoiceField(
                label=label,
                choices=SyncMode.choices,
                initial=getattr(destination, f"sync_{name}"),
            )
        self.fields["sync_due_date"].required = False  # a page from before it was here
        self._add_date_field(date_fields)
        self._add_mapping("status", Case.Status.choices, statuses, destination.status_mapping)
        self._add_mapping("priority", _PRIORITIES, priorities, destination.priority_mapping)
        self._name_defaults(offered)

    def _add_date_field(self, offered: Sequence[FieldSpec]) -> None:
        """The present one stays a choice, where Jira does not offer it (any more), too."""
        present = self.destination.due_date_field
        named = {spec.id: spec.name for spec in offered}
        gone = f"No longer there ({present})" if offered else present
        label = "Jira's own" if present == DUE_DATE_FIELD else gone
        self.fields["due_date_field"] = forms.ChoiceField(
            label="Field in Jira",
            required=False,
            choices=list(({present: label} | named).items()),
            initial=present,
        )
        self._has_time = {spec.id: spec.kind is FieldKind.DATETIME for spec in offered}

    def _add_mapping(
        self,
        name: str,
        ours: Sequence[tuple[str, str]],
        theirs: Sequence[Choice],
        mapped: Mapping[str, str],
    ) -> None:
        named = {choice.id: choice.name for choice in theirs}
        named |= {
            known: f"No longer there ({known})" for known in mapped.values() if known not in named
        }
        for value, label in ours:
            self.fields[f"{name}_{value}"] = forms.ChoiceField(
                label=label,
                required=False,
                choices=[("", FIELDS[name][1]), *named.items()],
                initial=mapped.get(value, ""),
            )

    def _name_defaults(self, offered: Sequence[Option] | None) -> None:
        """Say which priority a new ticket gets where none is mapped."""
        self._priority_note = FIELDS["priority"][1]
        if offered is None:
            return
        names = {}
        for level, (value, _) in enumerate(_PRIORITIES, start=1):
            field = cast("forms.ChoiceField", self.fields[f"priority_{value}"])
            _, *mapped = cast("list[tuple[str, str]]", field.choices)
            option = by_level(offered, level)
            label = _LEFT_TO_JIRA
            if option is not None:
                names[value] = option.label
                label = f"{'Nearest' if is_nearest(option, level) else 'By name'}: {option.label}"
            field.choices = [("", label), *mapped]
        said = ", ".join(f"{value} {name}" for value, name in names.items())
        self._priority_note = f"By name: {said}" if said else _LEFT_TO_JIRA

    @property
    def rows(self) -> Iterator[Row]:
        for name, (label, note) in FIELDS.items():
            mapping = [self[each] for each in self.fields if each.startswith(f"{name}_")]
            usual = self._priority_note if name == "priority" else note
            yield Row(label, self[f"sync_{name}"], mapping, _said(mapping) or usual)

    @property
    def settings(self) -> SyncSettings:
        said, present = self.cleaned_data, self.destination
        modes = {f"sync_{name}": said[f"sync_{name}"] for name in FIELDS}
        modes["sync_due_date"] = modes["sync_due_date"] or present.sync_due_date
        due_date_field = said["due_date_field"] or present.due_date_field
        return SyncSettings(
            **modes,
            due_date_field=due_date_field,
            due_date_has_time=self._has_time.get(due_date_field, present.due_date_has_time),
            status_mapping=self._mapping("status"),
            priority_mapping=self._mapping("priority"),
            no_way_back=said["no_way_back"],
            custom_fields=present.custom_fields,
        )

    def _mapping(self, name: str) -> dict[str, str]:
        said = self.cleaned_data.items()
        start = f"{name}_"
        return {each.removeprefix(start): to for each, to in said if each.startswith(start) and to}


def _said(mapping: Sequence[BoundField]) -> str:
    """ "Open = To Do, Closed = Done": what is mapped, in words."""
    pairs = [
        f"{field.label} = {dict(choices).get(field.value())}"
        for field in mapping
        if field.value() and (choices := getattr(field.field, "choices", ()))
    ]
    return ", ".join(pairs)
