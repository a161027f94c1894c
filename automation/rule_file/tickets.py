"""How ticket rules say in a file what they do: projects by key, assignees by e-mail address.

An id is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from automation.kinds.ticket_creation.action import CreateTicket, Target
from automation.rule_file.actions import ActionFormat, Entry, Member, Place, Said, require_unicode
from automation.rule_file.document import Fault
from config.accounts.models import User
from ticketing.models import Project


class TicketFormat(ActionFormat):
    members: Mapping[str, Member] = {
        "target": Member(str, "a text"),
        "project": Member(str, "a text"),
        "assignee": Member(str, "a text"),
        "max_tickets_per_day": Member(int, "a whole number"),
        "fields": Member(dict, "a mapping"),
        "group_by": Member(list, "a list"),
        "reopens_closed": Member(bool, "true or false"),
    }
    required = ("project", "max_tickets_per_day")

    def reader(self, rules: Sequence[Said]) -> Callable[[Said, Place], CreateTicket]:
        return partial(_read, _Places.named_by(rules))

    def writer(self, actions: Sequence[CreateTicket]) -> Callable[[CreateTicket], dict[str, Any]]:
        projects = Project.objects.filter(pk__in={action.project_id for action in actions})
        people = User.objects.filter(pk__in={action.assignee_id for action in actions})
        names: dict[UUID | None, str] = dict(
            [*projects.values_list("pk", "key"), *people.values_list("pk", "email")]
        )
        return partial(_write, names)

    def warnings(self, entries: Sequence[Entry]) -> Iterator[Fault]:
        """What breaks the rule when it is first used."""
        wanted = {entry.data.action.project_id for entry in entries}
        projects = set(Project.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        named = {entry.data.action.assignee_id for entry in entries}
        active = User.objects.filter(pk__in=named, is_active=True)
        people = set(active.values_list("pk", flat=True))
        for entry in entries:
            if entry.data.action.project_id not in projects:
                yield Fault(entry.line, "Its project does not exist: its first ticket will fail.")
            if entry.data.action.assignee_id and entry.data.action.assignee_id not in people:
                sentence = (
                    "Its assignee does not exist or is deactivated: its first ticket will fail."
                )
                yield Fault(entry.line, sentence)


class _Places(NamedTuple):
    """What the rules name, in two statements."""

    projects: Mapping[str, UUID]
    people: Mapping[str, UUID]

    @classmethod
    def named_by(cls, rules: Sequence[Said]) -> _Places:
        keys = {said["project"].upper() for said in rules}
        emails = {(said.get("assignee") or "").lower() for said in rules} - {""}
        projects = Project.objects.filter(key__in=keys).values_list("key", "pk")
        people = User.objects.filter(email__in=emails).values_list("email", "pk")
        return cls(dict(projects), dict(people))


def _read(places: _Places, said: Said, place: Place) -> CreateTicket:
    assignee = said.get("assignee")
    require_unicode(said.get("fields"), place, "fields")
    return CreateTicket(
        target=said.get("target") or Target.CASE_MANAGEMENT,
        project_id=_project(said["project"], places, place),
        assignee_id=_person(assignee, places, place) if assignee else None,
        max_tickets_per_day=said["max_tickets_per_day"],
        fields=said.get("fields"),
        group_by=_group_by(said.get("group_by"), place),
        reopens_closed=said.get("reopens_closed"),
    ).with_unsaid(None)


def _group_by(said: list[Any] | None, place: Place) -> list[str] | None:
    for number, name in enumerate(said or ()):
        if not isinstance(name, str):
            place.fail("A field to group by is a text.", "group_by", number)
    return said


def _project(said: str, places: _Places, place: Place) -> UUID:
    found = places.projects.get(said.upper()) or _uuid(said)
    if found is None:
        place.fail(f"There is no project {said}.", "project")
    return found


def _person(said: str, places: _Places, place: Place) -> UUID:
    found = places.people.get(said.lower()) or _uuid(said)
    if found is None:
        place.fail(f"Nobody has the address {said}.", "assignee")
    return found


def _write(names: Mapping[UUID | None, str], action: CreateTicket) -> dict[str, Any]:
    assignee = action.assignee_id
    return {
        "target": action.target,
        "project": names.get(action.project_id, str(action.project_id)),
        "assignee": names.get(assignee, str(assignee)) if assignee else None,
        "max_tickets_per_day": action.max_tickets_per_day,
        "fields": action.fields,
        "group_by": action.group_by,
        "reopens_closed": action.reopens_closed,
    }


def _uuid(said: str) -> UUID | None:
    try:
        return UUID(said)
    except ValueError:
        return None
