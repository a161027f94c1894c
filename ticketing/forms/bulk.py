"""The forms of bulk runs: those of a few findings, and what they say as a run keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from findings.forms import AssignForm, MuteForm, StatusForm
from ticketing.bulk import MOST
from ticketing.forms.tickets import AttachForm, TicketForm
from ticketing.models import BulkRun


def _move() -> forms.BooleanField:
    return forms.BooleanField(
        required=False,
        label="Move findings that have a ticket already",
        help_text="Otherwise they keep the ticket they have.",
    )


class BulkTicketsForm(TicketForm):
    most = MOST
    move = _move()

    def __init__(self, data: QueryDict | None, *, number: int) -> None:
        super().__init__(data, number=number, each=True)

    @property
    def said(self) -> dict[str, Any]:
        assignee = self.cleaned_data["assignee"]
        return {
            "project": str(self.project_chosen.pk),
            "in_jira": self.place_chosen is not None,
            "assignee": str(assignee.pk) if assignee else None,
            "fields": self.fields_said,
            "move": self.cleaned_data["move"],
        }


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


FORMS: Mapping[str, Callable[..., forms.Form]] = {
    BulkRun.Deed.TICKETS: BulkTicketsForm,
    BulkRun.Deed.ATTACH: BulkAttachForm,
    BulkRun.Deed.MUTE: BulkMuteForm,
    BulkRun.Deed.ASSIGN: BulkAssignForm,
    BulkRun.Deed.STATUS: BulkStatusForm,
}
