"""A file of rules → what is said of each, with the line where it is said.

Projects are named by key or id, assignees by e-mail address or id; an id is taken as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple
from uuid import UUID

from automation.models import Rule
from automation.rule_data import InvalidRule, RuleData, validate
from automation.rule_file.document import Document, Fault, RuleFileError, read_document
from config.accounts.models import User
from ticketing.models import Project

MEMBERS: Final[Mapping[str, tuple[type, str]]] = {
    "id": (str, "a text"),
    "name": (str, "a text"),
    "enabled": (bool, "true or false"),
    "finding_types": (list, "a list"),
    "query": (str, "a text"),
    "target": (str, "a text"),
    "project": (str, "a text"),
    "assignee": (str, "a text"),
    "max_tickets_per_day": (int, "a whole number"),
    "fields": (dict, "a mapping"),
}
"""What a rule of the file may have, in the order in which it is written."""
REQUIRED = ("name", "finding_types", "project", "max_tickets_per_day")


class Entry(NamedTuple):
    """One rule of the file."""

    id: UUID | None
    data: RuleData
    line: int


def read_rules(text: str) -> list[Entry]:
    """The rules in the order of the file. Raises RuleFileError with everything that is wrong."""
    document = read_document(text)
    rules = _rules(document)
    faults = [
        fault for number, said in enumerate(rules) for fault in _shape(document, number, said)
    ]
    if faults:
        raise RuleFileError(faults)
    places = _Places.named_by(rules)
    entries = []
    for number, said in enumerate(rules):
        try:
            entries.append(_entry(document, number, said, places))
        except RuleFileError as error:
            faults += error.faults
    faults += _doubles(entries)
    if faults:
        raise RuleFileError(faults)
    return entries


def _rules(document: Document) -> list[Any]:
    value = document.value
    if not isinstance(value, dict) or set(value) != {"rules"}:
        raise RuleFileError([Fault(1, "The file has one member, `rules`.")])
    rules = value["rules"]
    if not isinstance(rules, list):
        sentence = "`rules` is a list; write `rules: []` for none."
        raise RuleFileError([Fault(document.line_of("rules"), sentence)])
    return rules


def _shape(document: Document, number: int, said: Any) -> Iterator[Fault]:
    if not isinstance(said, dict):
        yield Fault(document.line_of("rules", number), "A rule is a mapping.")
        return
    for name, value in said.items():
        line = document.line_of("rules", number, name)
        if name not in MEMBERS:
            near = get_close_matches(name, MEMBERS, 1)
            hint = f" Is `{near[0]}` meant?" if near else ""
            yield Fault(line, f"A rule has no `{name}`.{hint}")
        elif value is not None and type(value) is not MEMBERS[name][0]:
            yield Fault(line, f"`{name}` is {MEMBERS[name][1]}.")
        elif isinstance(value, list) and not all(isinstance(each, str) for each in value):
            yield Fault(line, "A finding type is a text.")
    for name in REQUIRED:
        if said.get(name) is None:
            yield Fault(document.line_of("rules", number), f"The rule has no `{name}`.")


class _Places(NamedTuple):
    """What the rules name, in two statements."""

    projects: Mapping[str, UUID]
    people: Mapping[str, UUID]

    @classmethod
    def named_by(cls, rules: list[dict[str, Any]]) -> _Places:
        keys = {said["project"].upper() for said in rules}
        emails = {(said.get("assignee") or "").lower() for said in rules} - {""}
        projects = Project.objects.filter(key__in=keys).values_list("key", "pk")
        people = User.objects.filter(email__in=emails).values_list("email", "pk")
        return cls(dict(projects), dict(people))


def _entry(document: Document, number: int, said: dict[str, Any], places: _Places) -> Entry:
    def at(name: str) -> int:
        return document.line_of("rules", number, name)

    assignee = said.get("assignee")
    data = RuleData(
        name=said["name"],
        enabled=said.get("enabled") is not False,
        finding_types=list(dict.fromkeys(said["finding_types"])),
        query=said.get("query") or "",
        target=said.get("target") or Rule.Target.CASE_MANAGEMENT,
        project_id=_project(said["project"], places, at("project")),
        assignee_id=_person(assignee, places, at("assignee")) if assignee else None,
        max_tickets_per_day=said["max_tickets_per_day"],
        fields=_json(said.get("fields"), at("fields")),
    )
    try:
        validate(data)
    except InvalidRule as error:
        where = f" (at character {error.position + 1})" if error.position is not None else ""
        raise RuleFileError(
            [
                Fault(at(name), sentence + (where if name == "query" else ""))
                for name, sentence in error.errors.items()
            ]
        ) from None
    own_id = _uuid(said["id"]) if said.get("id") else None
    if said.get("id") and own_id is None:
        raise RuleFileError([Fault(at("id"), "An id is a UUID.")])
    return Entry(own_id, data, document.line_of("rules", number))


def _project(said: str, places: _Places, line: int) -> UUID:
    found = places.projects.get(said.upper()) or _uuid(said)
    if found is None:
        raise RuleFileError([Fault(line, f"There is no project {said}.")])
    return found


def _person(said: str, places: _Places, line: int) -> UUID:
    found = places.people.get(said.lower()) or _uuid(said)
    if found is None:
        raise RuleFileError([Fault(line, f"Nobody has the address {said}.")])
    return found


def _uuid(said: str) -> UUID | None:
    try:
        return UUID(said)
    except ValueError:
        return None


def _json(fields: dict[str, Any] | None, line: int) -> dict[str, Any] | None:
    try:
        json.dumps(fields, ensure_ascii=False).encode()
    except ValueError:
        raise RuleFileError([Fault(line, "A text of the fields is no Unicode.")]) from None
    return fields


def _doubles(entries: list[Entry]) -> Iterator[Fault]:
    seen: dict[UUID | str, int] = {}
    for entry in entries:
        key = entry.id or entry.data.name
        if key in seen:
            what = "id" if entry.id else "name"
            sentence = f"The rule of line {seen[key]} has this {what}, too."
            hint = "" if entry.id else " Give both their ids."
            yield Fault(entry.line, sentence + hint)
        seen[key] = entry.line
