"""The half of the rule editor that is about Jira: the place, and the fields it asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, cast
from uuid import UUID

from django import forms

from automation.forms.criteria_form import CriteriaForm
from automation.forms.jira_fields import PEOPLE, PREFIX, JiraField, Row, words_of
from automation.kinds.ticket_creation.action import CreateTicket, Target
from automation.rules.selectors import remote_assignee
from config.accounts.models import User
from findings.facts import Facts, Severity
from ticketing.catalogue.cache import CatalogueError
from ticketing.catalogue.field_values import to_form
from ticketing.catalogue.options import (
    Options,
    Selection,
    cached_options,
    fetch_options,
    people,
    stored_options,
    teams,
)
from ticketing.destinations import destination_of, find_project, priority_at_creation
from ticketing.drafts import PRIORITY_OF_SEVERITY
from ticketing.fields.priorities import PRIORITY, default_priority
from ticketing.fields.spec import FieldKind, FieldSpec, is_empty, offered
from ticketing.models import Destination, JiraAccount, JiraUser
from ticketing.placeholders import PlaceholderError, check
from ticketing.selectors import connected_accounts

JIRA = Target.JIRA.value
CASE_MANAGEMENT = Target.CASE_MANAGEMENT.value
OWN_CONTROLS = ("summary", "description", "assignee")
PERSON = "person:"  # before one of our people: nobody that Jira knows, so on the case alone


class JiraPart(CriteriaForm):
    """The base of `RuleForm`. What a person sends is looked at with Jira's help; a page that
    only opens shows what is known, and asks once it is there."""

    target = forms.ChoiceField(
        label="Create a ticket in",
        required=False,
        choices=[(target.value, target.label) for target in Target],
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
    jira_assignee = forms.ChoiceField(
        label="Assignee",
        required=False,
        error_messages={"invalid_choice": "Select somebody of this Jira account."},
    )
    summary_template = forms.CharField(label="Summary template", required=False, max_length=1000)
    description_template = forms.CharField(
        label="Description template",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    @cached_property
    def accounts(self) -> list[JiraAccount]:
        return list(connected_accounts())

    @property
    def action(self) -> CreateTicket | None:
        """What the rule does until now."""
        action: CreateTicket | None = self.was
        return action

    @cached_property
    def stored(self) -> Destination | None:
        """Where the rule's tickets are created until now, if that is in Jira."""
        was = self.action
        return destination_of(was.project_id) if was and was.is_jira else None

    def _complete(self) -> None:
        super()._complete()
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
        return {**super()._stored_values(), **self._place_values()}

    def _place_values(self) -> dict[str, Any]:
        was = self.action
        if was is None or not was.is_jira:
            usual = JIRA if self.accounts else CASE_MANAGEMENT
            # With one account there is nothing to choose.
            only = str(self.accounts[0].pk) if len(self.accounts) == 1 else ""
            return {"target": was.target if was else usual, "account": only}
        place, fields = Selection.of(self.stored), was.fields or {}
        person = f"{PERSON}{was.assignee_id}" if was.assignee_id else ""
        return {
            "target": JIRA,
            "account": place.account,
            "space": place.space,
            "type": place.type,
            "jira_assignee": remote_assignee(was) or person,
            "summary_template": fields.get("summary", ""),
            "description_template": fields.get("description", ""),
        }

    @property
    def selection(self) -> Selection:
        # A rule that broke did so because Jira asks for something else than it did.
        since = self.rule.modified_at.isoformat() if self.rule and self.rule.is_broken else ""
        return Selection(self._said("account"), self._said("space"), self._said("type"), since)

    def _look(self) -> Options:
        """Without a script nothing asks later: then the page that comes back has to."""
        selection = self.selection
        if not self.may_write:  # shown is what the rule says, and nothing of Jira
            return stored_options(self.stored)
        if not self.is_jira:
            # Shown nowhere: to ask Jira for it would never come to an end.
            return replace(
                cached_options(selection, self.accounts, stored=self.stored), is_waiting=False
            )
        if self.sent is None:
            return cached_options(selection, self.accounts, stored=self.stored)
        return fetch_options(
            selection, self.accounts, stored=self.stored, typed=self.sent.get("typed_space", "")
        )

    def _values(self, spec: FieldSpec) -> list[str]:
        name = f"{PREFIX}{spec.id}"
        if spec.kind in PEOPLE and self._is_other_account:
            return []
        if self.sent is not None and name in self.sent:
            return self.sent.getlist(name)
        return to_form(spec, self._kept.get(spec.id))

    @property
    def _kept(self) -> Mapping[str, Any]:
        """The rule's fields, as long as its tickets go to the same place."""
        return (self.action.fields or {}) if self.action and self.is_same_place else {}

    @property
    def is_same_place(self) -> bool:
        selection = Selection(self._said("account"), self._said("space"), self._said("type"))
        return self.stored is not None and selection == Selection.of(self.stored)

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
        chosen = self._assignee_said()
        found = self.found_people("jira_assignee")
        if chosen and chosen not in dict(found):
            found.insert(0, (chosen, self._name_of(chosen)))
        return found

    def _assignee_said(self) -> str:
        chosen = self._said("jira_assignee")
        return "" if self._is_other_account and not chosen.startswith(PERSON) else chosen

    @property
    def _is_other_account(self) -> bool:
        """Than the one whose people were offered: the id of one of them may be anybody here."""
        offered_of = self.sent.get("people_of", "") if self.sent is not None else ""
        return bool(offered_of) and offered_of != self._said("account")

    def _name_of(self, chosen: str) -> str:
        if chosen.startswith(PERSON):
            pk = _uuid(chosen.removeprefix(PERSON))
            person = User.objects.filter(pk=pk).first() if pk else None
            return f"{person.name} (on the case only)" if person else "Somebody who is gone"
        known = JiraUser.objects.filter(account=self.choices.account, user_id=chosen).first()
        return str(known) if known else chosen

    def found_people(self, name: str) -> list[tuple[str, str]]:
        """Whom a search without scripts has found."""
        account, space = self.choices.account, self.choices.space
        typed = self._typed(name)
        if not typed or account is None or space is None:
            return []
        try:
            return [(each.id, each.name) for each in people(account, space.key, typed)]
        except CatalogueError as error:
            self.choices.problem = error.reason
            return []

    def _known_people(self, names: Sequence[str]) -> Mapping[str, str]:
        """Id → name of the people that are chosen in these fields."""
        ids = {str(each) for name in names for each in self[name].value() or ()}
        known = JiraUser.objects.filter(account=self.choices.account, user_id__in=ids)
        return {user.user_id: str(user) for user in known} if ids else {}

    def _found(self, name: str, spec: FieldSpec) -> list[tuple[str, str]]:
        """What a search without scripts has found for a field."""
        if spec.kind is not FieldKind.TEAM:
            return self.found_people(name)
        account, typed = self.choices.account, self._typed(name)
        if not typed or account is None:
            return []
        try:
            return [(each.id, each.label) for each in teams(account, spec.id, typed)]
        except CatalogueError as error:
            self.choices.problem = error.reason
            return []

    def _typed(self, name: str) -> str:
        return self.sent.get(f"typed_{name}", "").strip() if self.sent is not None else ""

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
        fields = {n: field.spec for n, field in self.fields.items() if isinstance(field, JiraField)}
        known = self._known_people([name for name, spec in fields.items() if spec.kind in PEOPLE])
        for name, spec in fields.items():
            mine = [(each, known[each]) for each in self[name].value() or () if each in known]
            yield Row(self[name], spec, list(dict([*mine, *self._found(name, spec)]).items()))

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

    def with_priority(self, filled: Mapping[str, Any], facts: Facts) -> Mapping[str, Any]:
        """The fields of one ticket with the priority that it gets unless the rule has one."""
        said = PRIORITY_OF_SEVERITY[Severity(facts.severity)]
        if PRIORITY in filled:
            return filled
        mapped, level = priority_at_creation(self.destination or Destination(), said)
        usual = default_priority(self.choices.fields or (), level)
        return {**filled, **({PRIORITY: {"id": mapped}} if mapped else usual)}

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
        chosen = self._assignee_said()
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
            if isinstance(field_, JiraField) and not is_empty(value):
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
