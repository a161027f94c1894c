"""What a person wants of many cases at once, and of which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from config.lib.utc import day_text
from ticketing import case_bulk
from ticketing.case_bulk import Action
from ticketing.case_changes import CaseChange
from ticketing.close_reasons import CloseReason
from ticketing.forms.cases import ChangeCaseForm, DueDateField
from ticketing.models import Case

ACTIONS = {
    "archive": Action(
        case_bulk.archive,
        "Archive {}?".format,
        "{} archived".format,
        takes_archived=True,
        asks_first=True,
    ),
    "unarchive": Action(
        case_bulk.unarchive, "Unarchive {}?".format, "{} unarchived".format, takes_archived=True
    ),
    "retry": Action(
        case_bulk.retry, "Retry {}?".format, "{} tried again".format, takes_archived=True
    ),
}
MAX_ON_A_PAGE = 200  # check boxes of one request; a page has 50


class CaseBulkForm(ChangeCaseForm):
    """The same choices as for one case, each a button of its own; `do` names the others."""

    do = forms.ChoiceField(
        required=False, choices=[(name, name) for name in (*ACTIONS, "due", "due_clear")]
    )
    due_date = DueDateField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        if data.get("do") != "due":  # its field is sent with every button
            del self.fields["due_date"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        if cleaned["do"] == "due" and not cleaned["due_date"]:
            self.add_error("due_date", "Choose a day.")
        elif not cleaned["do"] and not self.changes:
            self.add_error(None, "Choose what to change.")
        return cleaned

    @property
    def action(self) -> Action:
        """Of a valid form."""
        if (name := self.cleaned_data["do"]) in ACTIONS:
            return ACTIONS[name]
        if name:
            day = self.cleaned_data["due_date"] if name == "due" else None
            to = f"set to {day_text(day)}" if day else "left to their findings"
            return _action(case_bulk.set_due_date(day), "Due date of {}", to)
        return self._change()

    def _change(self) -> Action:
        said = self.changes
        work = case_bulk.change(CaseChange(**said))
        if "assignee" in said:
            to = f"assigned to {said['assignee'].name}" if said["assignee"] else "unassigned"
            return _action(work, "{}", to)
        if "priority" in said:
            return _action(
                work, "Priority of {}", f"set to {Case.Priority(said['priority']).label}"
            )
        reason = said.get("close_reason")
        label = Case.Status(said["status"]).label
        to = f"{label}: {CloseReason(reason).label.lower()}" if reason else label
        return _action(work, "{}", f"set to {to}")


class ChosenCases:
    """Which cases: those checked on a page, or all that its search found."""

    def __init__(self, data: QueryDict) -> None:
        self.is_whole = "whole" in data
        self.search = QueryDict(data.get("search", "")[:2_000])
        self.pks = list(filter(None, map(_uuid, data.getlist("case")[:MAX_ON_A_PAGE])))
        expected = data.get("expected", "")
        self.expected = int(expected) if expected.isdecimal() and len(expected) < 10 else None
        """How many the person has confirmed."""


def _action(work: case_bulk.Work, noun: str, to: str) -> Action:
    def says(cases: str) -> str:
        return f"{noun.format(cases)} {to}"

    return Action(work, lambda cases: f"{says(cases)}?", says)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def hidden_fields(data: QueryDict, *, without: Sequence[str]) -> list[tuple[str, str]]:
    """What was sent, to be sent again by a page that asks first."""
    return [(name, value) for name in data if name not in without for value in data.getlist(name)]
