from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q

from automation.engine.rules import RuleSpec
from automation.forms.criteria_form import errors_of
from automation.forms.grouping import FIELD_NAMES, GroupingPart, initial_grouping
from automation.forms.jira import JiraPart
from automation.forms.jira_fields import PREFIX
from automation.kinds.registry import KINDS
from automation.kinds.ticket_creation.action import NAME, CreateTicket, Target
from automation.rules.data import InvalidRule, RuleData
from config.accounts.models import User
from ticketing.allowed_spaces import SpaceClosed
from ticketing.models import Project

LIMIT_ERROR = "Enter a whole number from 1 to 500."
CASE_CONTROLS = ("project", "assignee")
JIRA_CONTROLS = (
    *("account", "space", "type", "jira_assignee"),
    *("summary_template", "description_template"),
)
_JIRA_CONTROL = {"project": "space", "assignee": "jira_assignee"}


class RuleForm(GroupingPart, JiraPart):
    """The editor of a rule that creates tickets."""

    kind = KINDS[NAME]

    field_order = (
        *("name", "types", "query", "severities", "target", *CASE_CONTROLS, *JIRA_CONTROLS),
        *("one_ticket_for", *FIELD_NAMES, "when_closed", "limit"),
    )
    """As on the page: the links to what is wrong lead down it."""

    project = forms.ModelChoiceField(
        Project.objects.all(),
        label="Case Management Project",
        empty_label="Select a project",
        widget=forms.Select(attrs={"data-combobox": "long"}),
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select a project."),
    )
    assignee = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        label="Assignee",
        required=False,
        empty_label="Unassigned",
        widget=forms.Select(attrs={"data-combobox": "long"}),
        error_messages={"invalid_choice": "Select a person."},
    )
    limit = forms.IntegerField(
        label="Rate limit",
        initial=50,
        error_messages=dict.fromkeys(("required", "invalid"), LIMIT_ERROR),
        validators=(MinValueValidator(1, LIMIT_ERROR), MaxValueValidator(500, LIMIT_ERROR)),
        widget=forms.NumberInput(attrs={"min": 1, "max": 500, "class": "input"}),
    )

    def _stored_values(self) -> dict[str, Any]:
        values, action = super()._stored_values(), self.action
        if action is None:
            return values
        return values | {
            "project": None if action.is_jira else action.project_id,
            "assignee": action.assignee_id,
            "limit": action.max_tickets_per_day,
            **initial_grouping(action.grouping, reopens=bool(action.reopens_closed)),
        }

    def _complete(self) -> None:
        super()._complete()
        self.fields["project"].required = not self.is_jira
        was = self.action
        if was is not None and was.assignee_id:
            # Deactivated since, perhaps: saving the rule must not drop them unseen.
            people = cast("forms.ModelChoiceField[User]", self.fields["assignee"])
            people.queryset = User.objects.filter(Q(is_active=True) | Q(pk=was.assignee_id))

    def clean(self) -> None:
        """What belongs to the other ticketing system may say anything."""
        unused = CASE_CONTROLS if self.is_jira else JIRA_CONTROLS
        for name in unused:
            self.errors.pop(name, None)
        self.clean_grouping()
        if self.is_jira:
            self.clean_place()

    def lacks_control(self, refusal: SpaceClosed | InvalidRule) -> bool:
        """Whether it is about a field that Jira did not have when the form was made."""
        names = (self._control_of(name) for name in errors_of(refusal))
        return any(name.startswith(PREFIX) and name not in self.fields for name in names)

    def _control_of(self, name: str) -> str:
        """The control that stands for what the service calls by this name."""
        if name.startswith("fields."):
            return f"{PREFIX}{name.removeprefix('fields.')}"
        if name == "group_by":
            return FIELD_NAMES[0]
        return _JIRA_CONTROL.get(name, name) if self.is_jira else name

    def rule_data(self, project: Project | None = None) -> RuleData:
        """What the valid form says. `project` is the one of the place in Jira."""
        said = self.cleaned_data
        project = project or said["project"]
        return RuleData(
            name=said["name"],
            finding_types=self.finding_types,
            query=self.full_query,
            action=self._action(project.pk),
            enabled=self.will_be_enabled,
        )

    @property
    def _assignee_id(self) -> UUID | None:
        if self.is_jira:
            return self.jira_person()
        person = self.cleaned_data.get("assignee")
        return person.pk if person else None

    @property
    def _fields(self) -> dict[str, Any] | None:
        if self.is_jira:
            return self.jira_fields()
        was = self.action
        return was.fields if was and not was.is_jira else None

    def linked_project(self) -> Project | None:
        """The project chosen, or the one linked to the place in Jira; None if there is none."""
        chosen: Project | None = self.cleaned_data.get("project")
        if not self.is_jira:
            return chosen
        return self.destination.project if self.destination else None

    def preview_spec(self) -> RuleSpec | None:
        """The rule as far as a preview needs it; None while a criterion or the limit is wrong."""
        self.full_clean()
        needed = {"types", "query", "severities", "limit", "one_ticket_for", *FIELD_NAMES}
        if not needed.isdisjoint(self.errors):
            return None
        project = self.linked_project()
        return RuleSpec(
            id=str(self.rule.pk if self.rule else UUID(int=0)),
            name=self.cleaned_data.get("name", "New rule"),
            enabled=True,
            finding_types=self.finding_types,
            query=self.full_query,
            action=self._action(project.pk if project else UUID(int=0)),
        )

    def _action(self, project_id: UUID) -> CreateTicket:
        return CreateTicket(
            target=Target.JIRA if self.is_jira else Target.CASE_MANAGEMENT,
            project_id=project_id,
            assignee_id=self._assignee_id,
            max_tickets_per_day=self.cleaned_data["limit"],
            fields=self._fields,
            group_by=self.grouping(),
            reopens_closed=self.reopens_closed(),
        )
