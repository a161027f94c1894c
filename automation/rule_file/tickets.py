"""How ticket rules say in a file what they do: projects by key, assignees by e-mail address.

An id is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from automation.kinds.ticket_creation.action import CreateTicket, Target
from automation.rule_file.actions import (
    ActionFormat,
    Entry,
    Location,
    Member,
    RawRule,
    require_unicode,
)
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

    def reader(self, rules: Sequence[RawRule]) -> Callable[[RawRule, Location], CreateTicket]:
        return partial(_read, _References.named_by(rules))

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


class _References(NamedTuple):
    """What the rules name, in two statements."""

    projects: Mapping[str, UUID]
    people: Mapping[str, UUID]

    @classmethod
    def named_by(cls, rules: Sequence[RawRule]) -> _References:
        keys = {raw["project"].upper() for raw in rules}
        emails = {(raw.get("assignee") or "").lower() for raw in rules} - {""}
        projects = Project.objects.filter(key__in=keys).values_list("key", "pk")
        people = User.objects.filter(email__in=emails).values_list("email", "pk")
        return cls(dict(projects), dict(people))


def _read(references: _References, raw: RawRule, location: Location) -> CreateTicket:
    assignee = raw.get("assignee")
    require_unicode(raw.get("fields"), location, "fields")
    return CreateTicket(
        target=raw.get("target") or Target.CASE_MANAGEMENT,
        project_id=_project(raw["project"], references, location),
        assignee_id=_person(assignee, references, location) if assignee else None,
        max_tickets_per_day=raw["max_tickets_per_day"],
        fields=raw.get("fields"),
        group_by=_group_by(raw.get("group_by"), location),
        reopens_closed=raw.get("reopens_closed"),
    ).with_unsaid(None)


def _group_by(names: list[Any] | None, location: Location) -> list[str] | None:
    for number, name in enumerate(names or ()):
        if not isinstance(name, str):
            location.fail("A field to group by is a text.", "group_by", number)
    return names


def _project(raw: str, references: _References, location: Location) -> UUID:
    found = references.projects.get(raw.upper()) or _uuid(raw)
    if found is None:
        location.fail(f"There is no project {raw}.", "project")
    return found


def _person(raw: str, references: _References, location: Location) -> UUID:
    found = references.people.get(raw.lower()) or _uuid(raw)
    if found is None:
        location.fail(f"Nobody has the address {raw}.", "assignee")
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


def _uuid(raw: str) -> UUID | None:
    try:
        return UUID(raw)
    except ValueError:
        return None
