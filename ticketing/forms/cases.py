from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from django import forms
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from config.accounts.models import User
from findings.models import Finding
from ticketing.close_reasons import CloseReason
from ticketing.commenting import Overwritten, Refusal
from ticketing.models import Case, Project
from ticketing.services import MAX_FINDINGS

MAX_COMMENT = 20_000
MAX_DESCRIPTION = 100_000
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


_DUE_IF_EMPTY = "Empty: the earliest due date of its open findings."


def seen_at(text: str) -> datetime:
    """Nonsense is long ago: whatever happened since counts as unseen."""
    try:
        seen = parse_datetime(text)
    except ValueError:
        seen = None
    return seen if seen and seen.tzinfo else _LONG_AGO


class FindingsField(forms.CharField):
    """Findings by their ids or addresses, one a line: cleaned to their primary keys."""

    def clean(self, value: Any) -> list[int]:
        ids = list(dict.fromkeys(map(_finding_id, super().clean(value).split())))
        if len(ids) > MAX_FINDINGS:
            raise forms.ValidationError(
                f"A ticket takes up to {MAX_FINDINGS} findings at once; these are {len(ids)}."
            )
        pks = dict(Finding.objects.filter(finding_id__in=ids).values_list("finding_id", "pk"))
        if unknown := [each for each in ids if each not in pks]:
            raise forms.ValidationError(f"“{unknown[0][:100]}” is not a finding.")
        return [pks[each] for each in ids]


class DueDateField(forms.DateField):
    """A day that somebody may mean: Jira and its people have no use for the year 1 or 9999."""

    def __init__(self, **said: Any) -> None:
        attrs = {"type": "date", "min": _FIRST_DAY.isoformat(), "max": _LAST_DAY.isoformat()}
        widget = forms.DateInput(attrs=attrs, format="%Y-%m-%d")
        not_a_day = {"invalid": "Write the day as YYYY-MM-DD."}
        formats = ["%Y-%m-%d"]
        super().__init__(widget=widget, error_messages=not_a_day, input_formats=formats, **said)

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day and not _FIRST_DAY <= day <= _LAST_DAY:
            between = f"{_FIRST_DAY.year} and {_LAST_DAY.year}"
            raise forms.ValidationError(f"Choose a day between the years {between}.")
        return day


def _finding_id(text: str) -> str:
    """The id itself, or the id in the address of a finding's page or of an explorer page."""
    if not re.match(r"(https?:/)?/", text):
        return text
    path, _, query = text.partition("#")[0].partition("?")
    return parse_qs(query).get("finding", [unquote(path.rsplit("/", 1)[-1])])[0]


class _CaseWords(forms.Form):
    title = forms.CharField(
        max_length=255,
        error_messages={
            "required": "Enter a title.",
            "max_length": "A title takes up to 255 characters.",
        },
    )
    description = forms.CharField(
        required=False,
        max_length=MAX_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Markdown works.",
        error_messages={"max_length": "A description takes up to 100,000 characters."},
    )

    def clean_description(self) -> str:
        return str(self.cleaned_data["description"]).replace("\r\n", "\n")

    @property
    def summary(self) -> str:
        wrong = sum(name in self.errors for name in self.fields)
        return f"Fix {wrong} field{'' if wrong == 1 else 's'} to save this case." if wrong else ""


class NewCaseForm(_CaseWords):
    project = forms.ModelChoiceField(
        Project.objects.all(),
        empty_label="Select a project",
        widget=forms.Select(attrs={"data-combobox": "long"}),
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select a project."),
    )
    priority = forms.ChoiceField(
        required=False, choices=[("", "As its findings ask for"), *Case.Priority.choices]
    )
    assignee = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        required=False,
        empty_label="Unassigned",
        widget=forms.Select(attrs={"data-combobox": "long"}),
        error_messages={"invalid_choice": "Select a person."},
    )
    due_date = DueDateField(label="Due date", required=False, help_text=_DUE_IF_EMPTY)
    findings = FindingsField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "ta mono", "spellcheck": "false"}),
        help_text="IDs or links of findings, one per line. Those on another case move here.",
    )
    field_order = (
        *("project", "title", "description", "priority", "assignee", "due_date", "findings"),
    )


class Seen(forms.Form):
    """A form about what its person saw: the time the case was changed last, as they knew it."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_seen(self) -> datetime:
        return seen_at(self.cleaned_data["seen"])


class EditCaseForm(_CaseWords, Seen):
    due_date = DueDateField(label="Due date", required=False, help_text=_DUE_IF_EMPTY)
    field_order = ("title", "description", "due_date")

    def says_due_date(self, case: Case) -> bool:
        """Whether it is another than the one a person said before."""
        return "due_date" in self.data and self.cleaned_data["due_date"] != case.own_due_date

    @property
    def words(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("title", "description", "seen")}

    def show_conflict(self, who: str, *, at: datetime) -> None:
        """Say that somebody saved meanwhile; saving again replaces what they wrote."""
        self.add_error(
            None, f"{who} What you typed is kept below. Save again to replace their version."
        )
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["seen"] = at.isoformat()
        self.data = data


class ChangeCaseForm(Seen):
    """One property of a case. What is not sent is not changed; nobody is an assignee, too."""

    status = forms.ChoiceField(required=False, choices=Case.Status.choices)
    close_reason = forms.ChoiceField(
        required=False, choices=[(each.value, each.label) for each in CloseReason]
    )
    priority = forms.ChoiceField(required=False, choices=Case.Priority.choices)
    assignee = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        required=False,
        error_messages={"invalid_choice": "That person is not active. Select another."},
    )

    @property
    def changes(self) -> dict[str, Any]:
        sent = {
            name: self.cleaned_data[name]
            for name in ("status", "priority", "assignee")
            if name in self.data
        }
        if reason := self.cleaned_data["close_reason"]:
            sent |= {"status": Case.Status.CLOSED, "close_reason": CloseReason(reason)}
        return {name: value for name, value in sent.items() if name == "assignee" or value}


class DueDateForm(Seen):
    """On the case's page. Empty: it is due when its findings are."""

    due_date = DueDateField(required=False)


class CommentForm(forms.Form):
    text = forms.CharField(
        label="Comment",
        max_length=MAX_COMMENT,
        widget=forms.Textarea(
            attrs={
                "rows": 3,
                "class": "ta",
                "placeholder": "Write a comment. Markdown works.",
                "data-key": "m",
                "data-key-label": "Comment",
            }
        ),
        error_messages={"required": "Write a comment first."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The browser would cut a pasted text off silently; the server says what is wrong.
        self.fields["text"].widget.attrs.pop("maxlength")
        self.fields["text"].error_messages["max_length"] = (
            "A comment takes up to 20,000 characters; this one has %(show_value)s."
        )


class EditCommentForm(CommentForm, Seen):
    field_order = ("text", "seen")

    def show_refusal(self, refusal: Refusal) -> None:
        """Saving again replaces what somebody else saved meanwhile, which is shown beside it."""
        self.add_error("text", f"{refusal} What you typed is kept.")
        if isinstance(refusal, Overwritten):
            data = QueryDict(mutable=True)
            data.update(self.data)
            data["seen"] = refusal.entry.changed_at.isoformat()
            self.data = data


class LinkFindingsForm(forms.Form):
    findings = FindingsField(
        label="Finding ID or link",
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "mono"}),
        error_messages={"required": "Enter the ID or link of a finding."},
    )


class MoveCaseForm(forms.Form):
    project = forms.ModelChoiceField(Project.objects.all())
