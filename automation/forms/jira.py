"""The half of the rule editor that is about Jira: the place, and the fields it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict

from automation.forms.jira_fields import PREFIX, JiraField, Row, words_of
from automation.models import Rule
from automation.places import Choices, Wanted, asked, connected_accounts, people, remembered
from automation.selectors import remote_assignee
from config.accounts.models import User
from ticketing.destinations import destination_of, find_project
from ticketing.models import Destination, JiraAccount, JiraUser
from ticketing.placeholders import PlaceholderError, check
from ticketing.trackers.base import TrackerError
from ticketing.trackers.jira.field_forms import to_form
from ticketing.trackers.jira.fields import FieldSpec, offered

JIRA = Rule.Target.JIRA.value
CASE_MANAGEMENT = Rule.Target.CASE_MANAGEMENT.value
OWN_CONTROLS = ("summary", "description", "assignee")
PERSON = "person:"  # before one of our people: nobody that Jira knows, so on the case alone


class JiraPart(forms.Form):
    """The base of `RuleForm`. What a person sends is looked at with Jira's help; a page that
    only opens shows what is known, and asks once it is there."""

    target = forms.ChoiceField(
        label="Create a ticket in", required=False, choices=Rule.Target.choices
    )
    account = forms.ChoiceField(
        label="Jira Account",
        required=False,
        error_messages={"invalid_choice": "Select a Jira account."},
    )
    space = forms.ChoiceField(
        label="Space", required=False, error_messages={"invalid_choice": "Select a space."}
    )
    type = forms.ChoiceField(
        label="Ticket Type",
        required=False,
        error_messages={"invalid_choice": "Select a ticket type."},
    )
    jira_assignee = forms.ChoiceField(label="Assignee", required=False)
    summary_template = forms.CharField(label="Summary template", required=False, max_length=1000)
    description_template = forms.CharField(
        label="Description template",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        rule: Rule | None = None,
        initial: Mapping[str, Any] | None = None,
        typed: QueryDict | None = None,
    ) -> None:
        self.rule = rule
        self.accounts = list(connected_accounts())
        self.sent = data if data is not None else typed
        self.stored = destination_of(rule.project_id) if rule and rule.target == JIRA else None
        super().__init__(data, initial={**self._stored_values(), **(initial or {})})
        self.choices = self._look()
        if self.is_jira:
            self._offer()
            for spec in self._shown():
                self.fields[f"{PREFIX}{spec.id}"] = JiraField(
                    spec, self.choices, initial=self._values(spec)
                )

    # --- What was said ----------------------------------------------------------------

    def _said(self, name: str) -> str:
        return str(self[name].value() or "")

    @property
    def is_jira(self) -> bool:
        return self._said("target") == JIRA

    def _stored_values(self) -> dict[str, Any]:
        rule = self.rule
        if rule is None or rule.target != JIRA:
            usual = JIRA if self.accounts else CASE_MANAGEMENT
            # With one account there is nothing to choose.
            only = str(self.accounts[0].pk) if len(self.accounts) == 1 else ""
            return {"target": rule.target if rule else usual, "account": only}
        place, fields = Wanted.of(self.stored), rule.fields or {}
        person = f"{PERSON}{rule.assignee_id}" if rule.assignee_id else ""
        return {
            "target": JIRA,
            "account": place.account,
            "space": place.space,
            "type": place.type,
            "jira_assignee": remote_assignee(rule) or person,
            "summary_template": fields.get("summary", ""),
            "description_template": fields.get("description", ""),
        }

    def _look(self) -> Choices:
        """Without a script nothing asks later: then the page that comes back has to."""
        # A rule that broke did so because Jira asks for something else than it did.
        since = self.rule.modified_at.isoformat() if self.rule and self.rule.is_broken else ""
        wanted = Wanted(self._said("account"), self._said("space"), self._said("type"), since)
        if not self.is_jira:
            # Shown nowhere: to ask Jira for it would never come to an end.
            return replace(remembered(wanted, self.accounts, stored=self.stored), is_waiting=False)
        if self.sent is None:
            return remembered(wanted, self.accounts, stored=self.stored)
        return asked(
            wanted, self.accounts, stored=self.stored, typed=self.sent.get("typed_space", "")
        )

    def _values(self, spec: FieldSpec) -> list[str]:
        name = f"{PREFIX}{spec.id}"
        if self.sent is not None and name in self.sent:
            return self.sent.getlist(name)
        return to_form(spec, self._kept.get(spec.id))

    @property
    def _kept(self) -> Mapping[str, Any]:
        """The rule's fields, as long as its tickets go to the same place."""
        return (self.rule.fields or {}) if self.rule and self.is_same_place else {}

    @property
    def is_same_place(self) -> bool:
        wanted = Wanted(self._said("account"), self._said("space"), self._said("type"))
        return self.stored is not None and wanted == Wanted.of(self.stored)

    @property
    def destination(self) -> Destination | None:
        """The settings of the project that the place is linked to, if it is."""
        found = self.choices
        if not self.is_jira or found.account is None or found.place is None:
            return None
        if self.is_same_place:
            return self.stored
        place = found.place
        linked = find_project(found.account, space_id=place.space_id, type_id=place.type_id)
        return destination_of(linked.pk) if linked else None

    # --- What can be said ---------------------------------------------------------------

    def _offer(self) -> None:
        found = self.choices
        accounts = list(found.accounts)
        if found.account and found.account not in accounts:
            accounts.append(found.account)
        spaces = [(space.id, f"{space.key} {space.name}") for space in found.spaces]
        if found.space and found.space.id not in dict(spaces):
            spaces.insert(0, (found.space.id, f"{found.space.key} {found.space.name}"))
        types = [(kind.id, kind.name) for kind in found.types if not kind.is_subtask]
        if found.type and found.type.id not in dict(types):
            types.insert(0, (found.type.id, found.type.name))
        self._choose("account", "Select an account", [(str(a.pk), _label(a)) for a in accounts])
        self._choose("space", "Select a space", spaces)
        self._choose("type", "Select a ticket type", types)
        self._choose("jira_assignee", "Unassigned", self._assignees())

    def _choose(self, name: str, nothing: str, choices: Sequence[tuple[str, str]]) -> None:
        cast("forms.ChoiceField", self.fields[name]).choices = [("", nothing), *choices]

    def _assignees(self) -> list[tuple[str, str]]:
        chosen = self._said("jira_assignee")
        found = self.found_people("jira_assignee")
        if chosen and chosen not in dict(found):
            found.insert(0, (chosen, self._name_of(chosen)))
        return found

    def _name_of(self, chosen: str) -> str:
        if chosen.startswith(PERSON):
            pk = _uuid(chosen.removeprefix(PERSON))
            person = User.objects.filter(pk=pk).first() if pk else None
            return f"{person.name} (on the case only)" if person else "Somebody who is gone"
        known = JiraUser.objects.filter(account=self.choices.account, user_id=chosen).first()
        return known.name if known else chosen

    def found_people(self, name: str) -> list[tuple[str, str]]:
        """Whom a search without scripts has found."""
        typed = self.sent.get(f"typed_{name}", "").strip() if self.sent is not None else ""
        account, space = self.choices.account, self.choices.space
        if not typed or account is None or space is None:
            return []
        try:
            return [(each.id, each.name) for each in people(account, space.key, typed)]
        except TrackerError as error:
            self.choices.problem = error.reason
            return []

    def _offered(self) -> list[FieldSpec]:
        found = offered(self.choices.fields or ())
        return [spec for spec in found if spec.id not in OWN_CONTROLS]

    def _shown(self) -> list[FieldSpec]:
        extra = self.extra
        return [spec for spec in self._offered() if spec.is_required or spec.id in extra]

    @property
    def extra(self) -> list[str]:
        """The optional fields that are shown, with what was just added or removed."""
        if self.sent is None:
            return list(self._kept)
        added, dropped = self.sent.get("add"), self.sent.get("drop")
        shown = [*self.sent.getlist("extra"), *([added] if added else [])]
        if "extra" not in self.sent and "account" not in self.sent:
            shown = list(self._kept)
        return [name for name in shown if name != dropped]

    # --- For the page -------------------------------------------------------------------

    @property
    def jira_rows(self) -> Iterator[Row]:
        for name, field in self.fields.items():
            if isinstance(field, JiraField):
                yield Row(self[name], field.spec, self.found_people(name))

    @property
    def jira_addable(self) -> list[FieldSpec]:
        extra = self.extra
        return [spec for spec in self._offered() if not spec.is_required and spec.id not in extra]

    @property
    def jira_left_out(self) -> list[str]:
        """Fields of the rule that the create screen does not have any more."""
        if self.choices.fields is None:
            return []
        known = {spec.id for spec in self.choices.fields}
        return [name for name in self._kept if name not in known and name not in OWN_CONTROLS]

    @property
    def jira_unasked(self) -> list[tuple[str, str]]:
        """What was typed into fields that cannot be drawn now, so that it comes back."""
        if self.sent is None or self.choices.fields is not None:
            return []
        names = [name for name in self.sent if name.startswith(PREFIX) or name == "extra"]
        return [(name, value) for name in names for value in self.sent.getlist(name)]

    def ticket_words(self, filled: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Names and values of the fields of one ticket, for the preview."""
        specs = {spec.id: spec for spec in self._offered()}
        words = [
            (specs[name].name, words_of(specs[name], filled[name]))
            for name in filled
            if name in specs
        ]
        return [(name, value) for name, value in words if value]

    @property
    def jira_assignee_name(self) -> str:
        chosen = self._said("jira_assignee")
        return self._name_of(chosen) if chosen else ""

    # --- What it says -------------------------------------------------------------------

    def clean_summary_template(self) -> str:
        return self._checked("summary_template")

    def clean_description_template(self) -> str:
        return self._checked("description_template").replace("\r\n", "\n")

    def _checked(self, name: str) -> str:
        text: str = self.cleaned_data[name]
        try:
            check(text)
        except PlaceholderError as error:
            raise forms.ValidationError(
                f"{error.sentence} (character {error.position + 1})"
            ) from error
        return text

    def clean_place(self) -> None:
        """Say what of the place is missing; where Jira is silent, what is stored is believed."""
        found = self.choices
        said = {name: self._said(name) for name in ("account", "space", "type")}
        for name in said:
            self.errors.pop(name, None)
        if found.account is None or found.account.deleted_at:
            return self.add_error("account", "Select a Jira account.")
        if not said["space"] or (found.space is None and not found.problem):
            return self.add_error("space", "Select a space.")
        if found.problem and not self.is_same_place:
            return self.add_error("space" if found.space is None else "type", found.problem)
        if found.type is None:
            return self.add_error("type", "Select a ticket type.")
        return None

    def jira_fields(self) -> dict[str, Any] | None:
        """The rule's fields as Jira's create metadata wants them."""
        said: dict[str, Any] = {}
        if self.choices.fields is None:
            said = {k: v for k, v in self._kept.items() if k not in OWN_CONTROLS}
        for field in ("summary", "description"):
            if text := self.cleaned_data.get(f"{field}_template"):
                said[field] = text
        if remote := self._remote_assignee():
            account = cast("JiraAccount", self.choices.account)
            is_cloud = account.deployment == JiraAccount.Deployment.CLOUD
            said["assignee"] = {"accountId" if is_cloud else "name": remote}
        for name, field_ in self.fields.items():
            value = self.cleaned_data.get(name)
            if isinstance(field_, JiraField) and value is not None:
                said[field_.spec.id] = value
        return said or None

    def _remote_assignee(self) -> str:
        chosen: str = self.cleaned_data.get("jira_assignee", "")
        return "" if chosen.startswith(PERSON) else chosen

    def jira_person(self) -> UUID | None:
        """Who the assignee is here, for the case."""
        chosen: str = self.cleaned_data.get("jira_assignee", "")
        if chosen.startswith(PERSON):
            return _uuid(chosen.removeprefix(PERSON))
        known = JiraUser.objects.filter(account=self.choices.account, user_id=chosen).first()
        return known.person_id if known else None


def _label(account: JiraAccount) -> str:
    return f"{account.name} (removed)" if account.deleted_at else account.name


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
