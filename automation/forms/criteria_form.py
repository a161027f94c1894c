"""What every rule editor asks for, whatever its rules do: the name and the criteria."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.dateparse import parse_datetime

from automation.forms.criteria import RuleCriteria, narrowed
from automation.forms.position import PositionPart
from automation.kinds.base import RuleKind
from automation.models import Rule
from automation.rules.data import MAX_QUERY, InvalidRule, known_action
from automation.rules.names import already_called, is_taken, name_key
from config.lib.elapsed import when_text
from findings.facts import TYPE_CHOICES, FindingType, Severity, TypeChoice
from findings.query.ast import QueryError
from findings.query.cost import MAX_COST
from findings.query.form import Criteria, join, split
from findings.query.parse import parse_rule_query
from findings.query.terms import split_terms
from ticketing.allowed_spaces import SpaceClosed

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SEVERITIES_SHOWN = (
    Severity.CRITICAL,
    Severity.HIGH,
    Severity.MEDIUM,
    Severity.LOW,
    Severity.INFO,
)


class CriteriaForm(PositionPart):
    """The base of the rule editors. `rule` is the one being edited; `seen` is its state the
    person saw.

    `typed` is what a person sent who is not saving yet: the page comes back as it was typed.
    """

    kind: ClassVar[RuleKind]

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
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        rule: Rule | None = None,
        initial: Mapping[str, Any] | None = None,
        typed: QueryDict | None = None,
        may_write: bool = True,
    ) -> None:
        self.rule = rule
        self.may_write = may_write
        self.sent = data if data is not None else typed
        self.query_position: int | None = None
        self.was: Any = known_action(rule) if rule else None  # what it does until now
        said = _typed(self.base_fields, typed) if typed is not None else {}
        super().__init__(data, initial={**self._stored_values(), **(initial or {}), **said})
        self.offer_places()
        self._complete()

    def _complete(self) -> None:
        """What the fields need to know that only the form as a whole can tell."""

    def _stored_values(self) -> dict[str, Any]:
        """What the fields show of the rule; editors add what is theirs."""
        rule = self.rule
        if rule is None:
            return {}
        path = self.kind.severity_path
        criteria = RuleCriteria.of(rule.finding_types, rule.query or "", severity_path=path)
        return {
            "name": rule.name,
            "types": [choice.value for choice in criteria.types],
            "query": criteria.text,
            "severities": criteria.severities,
            "seen": rule.modified_at.isoformat(),
        }

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        own = self.rule
        if own is not None and name_key(own.name) == name_key(name):
            return name
        if is_taken(self.kind.name, name, by_other_than=own.pk if own else None):
            raise forms.ValidationError(already_called(name))
        return name

    def clean_query(self) -> str:
        text = str(self.cleaned_data["query"]).replace("\r\n", "\n")
        try:
            parse_rule_query(text, budget=MAX_COST, refused=self.kind.not_in_query)
        except QueryError as error:
            self.query_position = error.position
            raise forms.ValidationError(error.message) from error
        return text

    def show_conflict(self, *, by: str, at: datetime) -> None:
        """Say that somebody saved the rule meanwhile; saving again replaces their version."""
        self.add_error(
            None,
            f"{by} changed this rule {when_text(at)}. What you typed is kept below. "
            "Save again to replace their version.",
        )
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["seen"] = at.isoformat()
        self.data = data

    def show_refusal(self, refusal: SpaceClosed | InvalidRule) -> None:
        """Say at its field what the service did not take, unless something is said there."""
        for name, sentence in errors_of(refusal).items():
            field = self._control_of(name)
            if field not in self.fields:
                self.add_error(None, sentence)
            elif field not in self.errors:
                self.add_error(field, sentence)

    def _control_of(self, name: str) -> str:
        """The control that stands for what the service calls by this name."""
        return name

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
        was = (self.rule.query if self.rule else "") or ""
        written = split(was, severity_path=self.kind.severity_path)
        chosen = set(self.cleaned_data["severities"])
        severities = tuple(each.value for each in Severity if each in chosen)
        if chosen == set(written.severities or ()):
            severities = written.severities or ()  # in the order they were written
        narrowing = narrowed(set(self.cleaned_data["types"]))
        if FindingType.HOST_AND_CONTAINER.value not in self.finding_types:
            narrowing = written.narrowed  # it says nothing then, and stays
        text = self.cleaned_data["query"]
        criteria = Criteria(severities or None, narrowing, text)
        return join(criteria, was=was, severity_path=self.kind.severity_path)

    @property
    def will_be_enabled(self) -> bool:
        """Once it is saved. A broken rule that is saved repaired runs again."""
        return self.rule is None or self.rule.enabled or self.rule.is_broken


def errors_of(refusal: SpaceClosed | InvalidRule) -> Mapping[str, str]:
    return refusal.errors if isinstance(refusal, InvalidRule) else {"project": str(refusal)}


def _typed(fields: Mapping[str, forms.Field], source: QueryDict) -> dict[str, Any]:
    """What a person typed, or a link brings, as the form's initial values."""
    return {
        name: source.getlist(name) if isinstance(field, forms.MultipleChoiceField) else source[name]
        for name, field in fields.items()
        if name in source
    }
