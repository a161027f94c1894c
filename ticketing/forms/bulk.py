"""The forms of bulk runs: those of a few findings, and what they say as a run keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django import forms
from django.http import QueryDict

from findings.explorer.group_labels import title_of_fields
from findings.forms import AssignForm, MuteForm, SeverityForm, StatusForm
from findings.grouping import GROUP_FIELDS, GroupField, UnknownGroupField, group_fields
from ticketing.bulk import MOST
from ticketing.forms.tickets import AttachForm, TicketForm
from ticketing.models import BulkRun

CHOOSE = "choose"
"""Instead of fields: what a ticket is for is chosen in the form."""
TO_CHOOSE = "team"


def _fields(per: str) -> tuple[GroupField, ...]:
    try:
        return group_fields(per.split(","))
    except UnknownGroupField:
        return ()


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _move() -> forms.BooleanField:
    return forms.BooleanField(
        required=False,
        label="Move findings that have a ticket already",
        help_text="Otherwise they keep the ticket they have.",
    )


class BulkTicketsForm(TicketForm):
    """A ticket for each finding, or, with `per`, for each group of those fields."""

    most = MOST
    per = forms.ChoiceField(label="One ticket per", required=False)
    move = _move()

    def __init__(self, data: QueryDict | None, *, number: int, per: str = "") -> None:
        super().__init__(data, number=number, each=True)
        fields = _fields(per)
        choices = [("", "Finding"), *((f.name, _upper(f.label)) for f in GROUP_FIELDS.values())]
        if len(fields) > 1 or (fields and fields[0].name not in GROUP_FIELDS):
            choices.append((per, title_of_fields(fields)))
        chosen = cast("forms.ChoiceField", self.fields["per"])
        chosen.choices, chosen.initial = choices, TO_CHOOSE if per == CHOOSE else per
        chosen.help_text = "A finding that lacks it gets a ticket of its own."

    @property
    def said(self) -> dict[str, Any]:
        assignee = self.cleaned_data["assignee"]
        return {
            "project": str(self.project_chosen.pk),
            "in_jira": self.place_chosen is not None,
            "assignee": str(assignee.pk) if assignee else None,
            "fields": self.fields_said,
            "move": self.cleaned_data["move"],
            "per": self.per_chosen,
        }

    @property
    def per_chosen(self) -> list[str]:
        per = self.cleaned_data["per"]
        return per.split(",") if per else []


class BulkAttachForm(AttachForm):
    """Its case, if there has to be one first, is opened by `bulk.start_attaching`."""

    most = MOST
    move = _move()

    @property
    def said(self) -> dict[str, Any]:
        return {"move": self.cleaned_data["move"]}


class _OfAny:
    """Of any number of findings."""

    def __init__(self, data: QueryDict | None, *, number: int) -> None:
        super().__init__(data)  # type: ignore[call-arg]  # a form comes next


class BulkMuteForm(_OfAny, MuteForm):
    @property
    def said(self) -> dict[str, Any]:
        return {
            "reason": self.cleaned_data["reason"],
            "description": self.cleaned_data["description"],
            "until": self.until.isoformat() if self.until else "",
        }


class BulkAssignForm(_OfAny, AssignForm):
    @property
    def said(self) -> dict[str, Any]:
        assignee = self.cleaned_data["assignee"]
        return {"assignee": str(assignee.pk) if assignee else None}


class BulkStatusForm(_OfAny, StatusForm):
    @property
    def said(self) -> dict[str, Any]:
        return {"status": str(self.cleaned_data["status"])}


class BulkSeverityForm(_OfAny, SeverityForm):
    @property
    def said(self) -> dict[str, Any]:
        severity = self.cleaned_data["severity"]
        return {
            "severity": str(severity) if severity else None,
            "description": self.cleaned_data["description"],
        }


FORMS: Mapping[str, Callable[..., forms.Form]] = {
    BulkRun.Deed.TICKETS: BulkTicketsForm,
    BulkRun.Deed.ATTACH: BulkAttachForm,
    BulkRun.Deed.MUTE: BulkMuteForm,
    BulkRun.Deed.ASSIGN: BulkAssignForm,
    BulkRun.Deed.STATUS: BulkStatusForm,
    BulkRun.Deed.SEVERITY: BulkSeverityForm,
}
