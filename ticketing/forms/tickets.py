from __future__ import annotations

from typing import Any, cast

from django import forms

from config.accounts.models import User
from ticketing.attaching import NotLocated, Remote, locate
from ticketing.destinations import open_destinations
from ticketing.forms.required import PREFIX, RequiredField
from ticketing.models import Case, Destination, Project
from ticketing.required import required_fields
from ticketing.services import MAX_FINDINGS

IN_JIRA = "jira:"


class _OfFindings(forms.Form):
    """A form about chosen findings, of which a ticket takes only so many at once."""

    most = MAX_FINDINGS

    def __init__(self, *args: Any, number: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.number = number

    def clean(self) -> dict[str, Any]:
        if self.number > self.most:
            raise forms.ValidationError(
                f"A ticket takes up to {self.most} findings at once; {self.number} are "
                "selected. Select fewer."
            )
        return self.cleaned_data


class TicketForm(_OfFindings):
    """A ticket made by hand: in a project, and with `in_jira` in its space in Jira, too."""

    project = forms.ChoiceField(
        label="Create a ticket in",
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "Select where the ticket is created."
        ),
        widget=forms.Select(attrs={"data-combobox": "long"}),
    )
    assignee = forms.ModelChoiceField(
        queryset=User.objects.filter(is_active=True),
        required=False,
        empty_label="Unassigned",
        widget=forms.Select(attrs={"data-combobox": "long"}),
    )
    mode = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, number: int, each: bool, **kwargs: Any) -> None:
        super().__init__(*args, number=number, **kwargs)
        self.fields["mode"].initial = "each" if each else "one"
        self._places = {str(place.project_id): place for place in open_destinations()}
        self._projects = {str(project.pk): project for project in Project.objects.all()}
        cast("forms.ChoiceField", self.fields["project"]).choices = self._choices()
        said = self.data.get("project", "")
        if said.startswith(IN_JIRA) and (place := self._places.get(said.removeprefix(IN_JIRA))):
            for spec in required_fields(place):
                self.fields[f"{PREFIX}{spec.id}"] = RequiredField(spec, place)

    def _choices(self) -> list[tuple[str, list[tuple[str, str]]]]:
        jira = [(f"{IN_JIRA}{pk}", _place_label(place)) for pk, place in self._places.items()]
        cases = [(pk, str(project)) for pk, project in self._projects.items()]
        groups = [("Jira", jira), ("Case Management", cases)]
        return [group for group in groups if group[1]]

    @property
    def project_chosen(self) -> Project:
        return self._projects[self.cleaned_data["project"].removeprefix(IN_JIRA)]

    @property
    def fields_said(self) -> dict[str, Any]:
        """What Jira requires beside, by the field's id there."""
        return {
            name.removeprefix(PREFIX): value
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX) and value is not None
        }

    @property
    def place_chosen(self) -> Destination | None:
        """Where in Jira, if the ticket is to be there, too."""
        chosen: str = self.cleaned_data["project"]
        if not chosen.startswith(IN_JIRA):
            return None
        return self._places[chosen.removeprefix(IN_JIRA)]


class AttachForm(_OfFindings):
    """Findings come to a case that is there, or to an issue in Jira that no case has yet."""

    key = forms.CharField(
        label="Jira key or URL, or a case key",
        max_length=500,
        widget=forms.TextInput(attrs={"placeholder": "SEC-12", "autocomplete": "off"}),
        error_messages={"required": "Enter a Jira key or URL, or a case key."},
    )
    project = forms.ModelChoiceField(
        Project.objects.none(),
        label="Case Management Project",
        required=False,
        empty_label="Select a project",
        widget=forms.Select(attrs={"data-combobox": "long"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.destination: Destination | None = None
        self._project = self.fields.pop("project")

    def clean_key(self) -> Case | Remote:
        try:
            found = locate(self.cleaned_data["key"])
        except NotLocated as error:
            raise forms.ValidationError(str(error)) from error
        if isinstance(found, Case) and found.archived_at:
            raise forms.ValidationError(f"{found.key} is archived. Unarchive it first.")
        return found

    def clean(self) -> dict[str, Any]:
        super().clean()
        found = self.cleaned_data.get("key")
        if isinstance(found, Remote):
            self._choose_project(found)
        return self.cleaned_data

    def _choose_project(self, remote: Remote) -> None:
        """The project of the case for an issue that has none; it is asked for if in doubt."""
        places = {str(place.project_id): place for place in remote.destinations}
        if len(places) > 1:
            field = self.fields["project"] = self._project
            cast("forms.ModelChoiceField[Project]", field).queryset = Project.objects.filter(
                pk__in=places
            )
        chosen = self.data.get("project", "") if len(places) > 1 else next(iter(places), "")
        self.destination = places.get(chosen)
        if not places:
            self.add_error(
                "key",
                f"No project is linked to {remote.space_key} in {remote.account.host}. "
                "Make a rule for that space first, or attach to a case.",
            )
        elif self.destination is None:
            self.add_error("project", f"Select the project of the case for {remote.ref.key}.")


class LinkIssueForm(forms.Form):
    """An issue in Jira that becomes the one of a case."""

    address = forms.CharField(
        label="Jira key or URL",
        max_length=500,
        widget=forms.TextInput(attrs={"placeholder": "SEC-12", "autocomplete": "off"}),
        error_messages={"required": "Enter a Jira key or URL."},
    )

    def clean_address(self) -> Remote:
        try:
            found = locate(self.cleaned_data["address"])
        except NotLocated as error:
            raise forms.ValidationError(str(error)) from error
        if isinstance(found, Case):
            raise forms.ValidationError(f"It belongs to {found.key} already.")
        return found


def _place_label(place: Destination) -> str:
    project = place.project
    return f"{place.space_key} · {place.type_name} in {place.account.host} ({project.name})"
