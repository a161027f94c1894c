"""Where issues are created, as it is now: would a create be accepted?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from ticketing.fields.spec import FieldSpec
from ticketing.trackers.base import Destination, Fault, TrackerError
from ticketing.trackers.jira.catalogue import JiraCatalogue
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.faults import Refused
from ticketing.trackers.jira.fields import problems as fields_problems


class Place:
    """One destination, as a create would find it."""

    def __init__(self, client: JiraClient, destination: Destination) -> None:
        self._client = client
        self._destination = destination
        self._catalogue = JiraCatalogue(client)

    def problems(self, fields: Mapping[str, Any]) -> Iterator[TrackerError]:
        """Everything that would have a create with these fields refused, the worst first."""
        self._client.prove_identity()  # to a stranger nothing is there
        key = self._destination.space_key
        if gone := self._space_problem():
            yield gone
            return
        if not self._may_create():
            yield _config("", f"The account may not create tickets in {key}.")
            return
        types = self._catalogue.issue_types(self._destination.space_id)
        if self._destination.type_id not in {one.id for one in types}:
            yield _config("issuetype", self._type_is_gone())
            return
        for problem in fields_problems(list(self.screen().values()), fields, space=key):
            yield _config(problem.field_id, problem.sentence)
        if unassignable := self._assignee_problem(fields.get("assignee")):
            yield unassignable

    def screen(self) -> dict[str, FieldSpec]:
        """The fields of the create screen by id."""
        place = self._destination
        specs = self._catalogue.create_fields(place.space_id, place.type_id)
        return {spec.id: spec for spec in specs}

    def _space_problem(self) -> TrackerError | None:
        key = self._destination.space_key
        try:
            space = self._catalogue.space(self._destination.space_id)
        except Refused as refused:
            if refused.status != 404 or not refused.answer.is_json:
                raise
            return _config("project", f"Jira space {key} is no longer valid (HTTP 404).")
        return _config("project", f"Jira space {key} is archived.") if space.is_archived else None

    def _may_create(self) -> bool:
        asked = {"projectId": self._destination.space_id, "permissions": "CREATE_ISSUES"}
        answer = self._client.get("mypermissions", params=asked)
        return bool(answer["permissions"]["CREATE_ISSUES"]["havePermission"])

    def _type_is_gone(self) -> str:
        key = self._destination.space_key
        try:
            name = self._client.get(f"issuetype/{quote(self._destination.type_id, safe='')}")[
                "name"
            ]
        except TrackerError:  # only the name in a sentence depends on it
            return f"The ticket type no longer exists in {key}."
        return f"Ticket type {name} no longer exists in {key}."

    def _assignee_problem(self, value: Any) -> TrackerError | None:
        person = _person(value)
        if not person:
            return None
        word = "accountId" if self._client.is_cloud else "username"
        asked = {"project": self._destination.space_key, word: person, "maxResults": 1000}
        try:
            assignable = _ids(self._client.get("user/assignable/search", params=asked))
        except Refused as refused:
            if refused.status != 403:
                raise
            return None  # we may not look at people: the create will tell
        if person in assignable:
            return None
        found = _ids(self._client.get("user/search", params={word: person}))
        who = f"Assignee {found[person]}" if found.get(person) else "The assignee"
        key = self._destination.space_key
        return _config("assignee", f"{who} can't be assigned in {key}.")


def _person(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    return str(value.get("accountId") or value.get("id") or value.get("name") or "")


def _ids(people: list[dict[str, Any]]) -> dict[str, str]:
    return {_person(one): str(one.get("displayName", "")) for one in people}


def _config(field: str, reason: str) -> TrackerError:
    return TrackerError(Fault.CONFIG, reason, field=field)
