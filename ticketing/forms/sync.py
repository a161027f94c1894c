from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django import forms
from django.forms import BoundField

from ticketing.destinations import SyncSettings
from ticketing.models import Case, Destination, SyncMode

FIELDS = {  # name → label, what stands for what unless it is mapped
    "title": ("Title", ""),
    "description": ("Description", ""),
    "status": ("Status", "Chosen by its meaning"),
    "assignee": ("Assignee", "Matched by email"),
    "priority": ("Priority", "Left to Jira"),
    "comments": ("Comments", ""),
}
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
    """Data Sync Settings of a project. `statuses` and `priorities` are those of its Jira.

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
        self._add_mapping("status", Case.Status.choices, statuses, destination.status_mapping)
        self._add_mapping("priority", _PRIORITIES, priorities, destination.priority_mapping)

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

    @property
    def rows(self) -> Iterator[Row]:
        for name, (label, note) in FIELDS.items():
            mapping = [self[each] for each in self.fields if each.startswith(f"{name}_")]
            yield Row(label, self[f"sync_{name}"], mapping, _said(mapping) or note)

    @property
    def settings(self) -> SyncSettings:
        said = self.cleaned_data
        return SyncSettings(
            **{f"sync_{name}": said[f"sync_{name}"] for name in FIELDS},
            status_mapping=self._mapping("status"),
            priority_mapping=self._mapping("priority"),
            no_way_back=said["no_way_back"],
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
