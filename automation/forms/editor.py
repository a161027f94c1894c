from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from automation.engine.rules import RuleSpec
from automation.forms.criteria import RuleCriteria, narrowed
from automation.forms.jira import JiraPart
from automation.models import Rule
from automation.rule_data import MAX_QUERY, RuleData
from config.accounts.models import User
from findings.facts import TYPE_CHOICES, FindingType, Severity, TypeChoice
from findings.query.ast import QueryError
from findings.query.form import Criteria, join, split
from findings.query.parse import parse_rule_query
from findings.query.terms import split_terms
from ticketing.models import Project

LIMIT_ERROR = "Enter a whole number from 1 to 500."
_MANY = ("types", "severities")
CASE_CONTROLS = ("project", "assignee")
JIRA_CONTROLS = (
    *("account", "space", "type", "jira_assignee"),
    *("summary_template", "description_template"),
)
_ONE = ("name", "query", "limit", "seen", "target", *CASE_CONTROLS, *JIRA_CONTROLS)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SEVERITIES_SHOWN = (
    Severity.CRITICAL,
    Severity.HIGH,
    Severity.MEDIUM,
    Severity.LOW,
    Severity.INFO,
)


class RuleForm(JiraPart):
    """The rule editor. `rule` is the one being edited; `seen` is its state the person saw.

    `typed` is what a person sent who is not saving yet: the page comes back as it was typed.
    """

    field_order = ("name", "types", "query", "severities", "target", *CASE_CONTROLS)
    """As on the page: the links to what is wrong lead down it."""

    name = forms.CharField(
        label="Rule name", max_length=255, error_messages={"required": "Enter a rule name."}
    )
    types = forms.MultipleChoiceField(
        label="Any of these types",
        choices=[(choice.value, choice.label) for choice in TYPE_CHOICES],
        error_messages={"required": "Select at least one finding type."},
    )
    query = forms.CharField(
        label="Any of these tags or attributes",
        required=False,
        strip=False,
        max_length=MAX_QUERY,
        widget=forms.Textarea(attrs={"rows": 3, "class": "ta mono", "spellcheck": "false"}),
    )
    severities = forms.MultipleChoiceField(
        label="Severity",
        required=False,
        choices=[(severity.value, severity.capitalize()) for severity in Severity],
    )
    project = forms.ModelChoiceField(
        Project.objects.all(),
        label="Case Management Project",
        empty_label="Select a project",
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select a project."),
    )
    assignee = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        label="Assignee",
        required=False,
        empty_label="Unassigned",
        error_messages={"invalid_choice": "Select a person."},
    )
    limit = forms.IntegerField(
        label="Rate limit",
        initial=50,
        error_messages=dict.fromkeys(("required", "invalid"), LIMIT_ERROR),
        validators=(MinValueValidator(1, LIMIT_ERROR), MaxValueValidator(500, LIMIT_ERROR)),
        widget=forms.NumberInput(attrs={"min": 1, "max": 500, "class": "input"}),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        rule: Rule | None = None,
        initial: Mapping[str, Any] | None = None,
        typed: QueryDict | None = None,
    ) -> None:
        self.query_position: int | None = None
        said = _typed(typed) if typed is not None else {}
        super().__init__(
            data, rule=rule, initial={**_initial(rule), **(initial or {}), **said}, typed=typed
        )
        self.fields["project"].required = not self.is_jira
        if rule is not None and rule.assignee_id:
            # Deactivated since, perhaps: saving the rule must not drop them unseen.
            people = cast("forms.ModelChoiceField[User]", self.fields["assignee"])
            people.queryset = User.objects.filter(Q(is_active=True) | Q(pk=rule.assignee_id))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Rule.objects.filter(name=name)
        if self.rule is not None:
            others = others.exclude(pk=self.rule.pk)
        if others.exists():
            raise forms.ValidationError(f"Another rule is already called “{name}”.")
        return name

    def clean_query(self) -> str:
        text = str(self.cleaned_data["query"]).replace("\r\n", "\n")
        try:
            parse_rule_query(text)
        except QueryError as error:
            self.query_position = error.position
            raise forms.ValidationError(error.message) from error
        return text

    def clean(self) -> None:
        """What belongs to the other ticketing system may say anything."""
        unused = CASE_CONTROLS if self.is_jira else JIRA_CONTROLS
        for name in unused:
            self.errors.pop(name, None)
        if self.is_jira:
            self.clean_place()

    def show_conflict(self, *, by: str, at: datetime) -> None:
        """Say that somebody saved the rule meanwhile; saving again replaces their version."""
        self.add_error(
            None,
            f"{by} changed this rule at {at:%H:%M} UTC. What you typed is kept below. "
            "Save again to replace their version.",
        )
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["seen"] = at.isoformat()
        self.data = data

    @property
    def summary(self) -> str:
        wrong = sum(name in self.errors for name in self.fields)
        return f"Fix {wrong} field{'' if wrong == 1 else 's'} to save this rule." if wrong else ""

    @property
    def terms_json(self) -> str:
        """The typed query as tokens for the page's script; "null" when tokens can't say it."""
        try:
            return json.dumps(split_terms(self["query"].value() or ""))
        except QueryError:
            return "null"

    @property
    def query_around(self) -> tuple[str, str, str] | None:
        """The query before, at and after the place where it is wrong."""
        if self.query_position is None:
            return None
        text, at = self["query"].value(), self.query_position
        return text[max(0, at - 40) : at], text[at : at + 1], text[at + 1 : at + 40]

    def type_options(self, seen: Mapping[str, str]) -> list[tuple[TypeChoice, str, bool]]:
        chosen = self["types"].value() or ()
        return [(each, seen[each.value], each.value in chosen) for each in TYPE_CHOICES]

    def severity_options(self) -> list[tuple[str, bool]]:
        """The five of the form, and those beyond them that the rule already names."""
        chosen = self["severities"].value() or ()
        return [
            (each.value, each in chosen)
            for each in Severity
            if each in SEVERITIES_SHOWN or each in chosen
        ]

    @property
    def seen_at(self) -> datetime:
        """When the rule was last changed, as the person saw it; nonsense is long ago."""
        try:
            return parse_datetime(self.cleaned_data["seen"]) or _LONG_AGO
        except ValueError:
            return _LONG_AGO

    @property
    def finding_types(self) -> tuple[str, ...]:
        chosen = set(self.cleaned_data["types"])
        wires = dict.fromkeys(choice.wire for choice in TYPE_CHOICES if choice.value in chosen)
        return tuple(wire.value for wire in wires)

    @property
    def full_query(self) -> str:
        """The query with everything in it; as it was written if the form says the same."""
        was = self.rule.query if self.rule else ""
        written = split(was)
        chosen = set(self.cleaned_data["severities"])
        severities = tuple(each.value for each in Severity if each in chosen)
        if chosen == set(written.severities or ()):
            severities = written.severities or ()  # in the order they were written
        narrowing = narrowed(set(self.cleaned_data["types"]))
        if FindingType.HOST_AND_CONTAINER.value not in self.finding_types:
            narrowing = written.narrowed  # it says nothing then, and stays
        text = self.cleaned_data["query"]
        return join(Criteria(severities or None, narrowing, text), was=was)

    def rule_data(self, project: Project | None = None) -> RuleData:
        """What the valid form says. A broken rule that is saved repaired runs again.

        `project` is the one of the place in Jira.
        """
        rule, said = self.rule, self.cleaned_data
        project = project or said["project"]
        return RuleData(
            name=said["name"],
            finding_types=self.finding_types,
            query=self.full_query,
            target=self._target,
            project_id=project.pk,
            assignee_id=self._assignee_id,
            max_tickets_per_day=said["limit"],
            fields=self._fields,
            enabled=rule is None or rule.enabled or rule.is_broken,
        )

    @property
    def _target(self) -> Rule.Target:
        return Rule.Target.JIRA if self.is_jira else Rule.Target.CASE_MANAGEMENT

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
        kept = self.rule is not None and self.rule.target != Rule.Target.JIRA
        return self.rule.fields if self.rule and kept else None

    def linked_project(self) -> Project | None:
        """The project chosen, or the one linked to the place in Jira; None if there is none."""
        chosen: Project | None = self.cleaned_data.get("project")
        if not self.is_jira:
            return chosen
        return self.destination.project if self.destination else None

    def preview_spec(self) -> RuleSpec | None:
        """The rule as far as a preview needs it; None while a criterion or the limit is wrong."""
        self.full_clean()
        if not {"types", "query", "severities", "limit"}.isdisjoint(self.errors):
            return None
        project, person = self.linked_project(), self._assignee_id
        return RuleSpec(
            id=str(self.rule.pk if self.rule else UUID(int=0)),
            name=self.cleaned_data.get("name", "New rule"),
            enabled=True,
            finding_types=self.finding_types,
            query=self.full_query,
            target=self._target,
            project_id=str(project.pk if project else UUID(int=0)),
            assignee_id=str(person) if person else None,
            max_tickets_per_day=self.cleaned_data["limit"],
            fields=self._fields,
        )


def _typed(source: QueryDict) -> dict[str, Any]:
    """What a person typed, or a link brings, as the form's initial values."""
    return {name: source.getlist(name) for name in _MANY if name in source} | {
        name: source[name] for name in _ONE if name in source
    }


def _initial(rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {}
    criteria = RuleCriteria.of(rule.finding_types, rule.query)
    return {
        "name": rule.name,
        "types": [choice.value for choice in criteria.types],
        "query": criteria.text,
        "severities": criteria.severities,
        "project": None if rule.target == Rule.Target.JIRA else rule.project_id,
        "assignee": rule.assignee_id,
        "limit": rule.max_tickets_per_day,
        "seen": rule.modified_at.isoformat(),
    }
