"""Where issues are created, as it is now: would a create be accepted?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from ticketing.trackers.base import Destination, Fault, TrackerError
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.faults import Refused

_PAGE = 200
_ALWAYS_SENT = frozenset({"project", "issuetype", "summary", "description"})
_BY_ITSELF = frozenset({"reporter"})  # required, but Jira puts us there


class Field(NamedTuple):
    """A field of the create screen."""

    id: str
    name: str
    must_be_sent: bool
    options: frozenset[str] | None  # ids; None if it takes anything


class Place:
    """Reads each thing once; made for one question."""

    def __init__(self, client: JiraClient, destination: Destination) -> None:
        self._client = client
        self._destination = destination
        self._space = quote(destination.space_id, safe="")
        self._type = quote(destination.type_id, safe="")

    def problems(self, fields: Mapping[str, Any]) -> Iterator[TrackerError]:
        """Everything that would have a create with these fields refused, the worst first."""
        key = self._destination.space_key
        if problem := self._space_problem():
            yield problem
            return
        if not self._may_create():
            yield _config("", f"The account may not create tickets in {key}.")
            return
        if self._destination.type_id not in self._types():
            yield _config("issuetype", self._type_is_gone())
            return
        screen = self.screen()
        yield from _missing(screen, fields, key)
        yield from _unacceptable(screen, fields, key)
        if problem := self._assignee_problem(fields.get("assignee")):
            yield problem

    def screen(self) -> dict[str, Field]:
        """The fields of the create screen by id."""
        path = f"issue/createmeta/{self._space}/issuetypes/{self._type}"
        found = (_field(raw) for raw in self._pages(path, "fields"))
        return {field.id: field for field in found}

    def _space_problem(self) -> TrackerError | None:
        key = self._destination.space_key
        try:
            space = self._client.get(f"project/{self._space}")
        except Refused as refused:
            if refused.status != 404 or not refused.answer.is_json:
                raise
            self._client.prove_identity()  # a stranger would not see it either
            return _config("project", f"Jira space {key} is no longer valid (HTTP 404).")
        if space.get("archived") or space.get("deleted"):
            return _config("project", f"Jira space {key} is archived.")
        return None

    def _may_create(self) -> bool:
        asked = {"projectId": self._destination.space_id, "permissions": "CREATE_ISSUES"}
        answer = self._client.get("mypermissions", params=asked)
        return bool(answer["permissions"]["CREATE_ISSUES"]["havePermission"])

    def _types(self) -> dict[str, str]:
        """Ticket type id → name."""
        path = f"issue/createmeta/{self._space}/issuetypes"
        return {str(raw["id"]): str(raw["name"]) for raw in self._pages(path, "issueTypes")}

    def _type_is_gone(self) -> str:
        key = self._destination.space_key
        try:
            name = self._client.get(f"issuetype/{self._type}")["name"]
        except TrackerError:  # only the name in a sentence depends on it
            return f"The ticket type no longer exists in {key}."
        return f"Ticket type {name} no longer exists in {key}."

    def _assignee_problem(self, value: Any) -> TrackerError | None:
        person = _person(value)
        if not person:
            return None
        word = "accountId" if self._client.is_cloud else "username"
        asked = {"project": self._destination.space_key, word: person, "maxResults": 1000}
        if person in _ids(self._client.get("user/assignable/search", params=asked)):
            return None
        found = _ids(self._client.get("user/search", params={word: person}))
        who = f"Assignee {found[person]}" if found.get(person) else "The assignee"
        key = self._destination.space_key
        return _config("assignee", f"{who} can't be assigned in {key}.")

    def _pages(self, path: str, name: str) -> Iterator[dict[str, Any]]:
        """Cloud names the list after what is in it, Data Center says `values`."""
        start = 0
        while True:
            page = self._client.get(path, params={"startAt": start, "maxResults": _PAGE})
            items = page.get(name, page.get("values")) or []
            yield from items
            start += len(items)
            if not items or page.get("isLast") or start >= int(page.get("total", start)):
                return


def _field(raw: Mapping[str, Any]) -> Field:
    id_ = str(raw.get("fieldId") or raw.get("key"))
    allowed = raw.get("allowedValues")
    options = None
    if isinstance(allowed, list) and allowed and not raw.get("autoCompleteUrl"):
        options = frozenset(str(one.get("id")) for one in allowed)
    needs = bool(raw.get("required")) and not raw.get("hasDefaultValue")
    return Field(id_, str(raw.get("name") or id_), needs, options)


def _missing(
    screen: Mapping[str, Field], fields: Mapping[str, Any], key: str
) -> Iterator[TrackerError]:
    sent = {id_ for id_, value in fields.items() if value not in (None, "", [])}
    for field in screen.values():
        if field.must_be_sent and field.id not in sent | _ALWAYS_SENT | _BY_ITSELF:
            yield _config(field.id, f"Field {field.name} is now required in {key}.")


def _unacceptable(
    screen: Mapping[str, Field], fields: Mapping[str, Any], key: str
) -> Iterator[TrackerError]:
    for id_, value in fields.items():
        if id_ in _ALWAYS_SENT:
            continue
        field = screen.get(id_)
        if field is None:
            if id_ != "labels":  # those we can do without
                yield _config(id_, f"Field {id_} can no longer be set in {key}.")
        elif field.options is not None and not _chosen(value) <= field.options:
            yield _config(id_, f"Field {field.name} no longer has the chosen value in {key}.")


def _chosen(value: Any) -> frozenset[str]:
    """The ids of the options in a value; one with a placeholder in it is not known yet."""
    values = value if isinstance(value, list) else [value]
    ids = (str(one["id"]) for one in values if isinstance(one, dict) and one.get("id"))
    return frozenset(id_ for id_ in ids if "{{" not in id_)


def _person(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    return str(value.get("accountId") or value.get("id") or value.get("name") or "")


def _ids(people: list[dict[str, Any]]) -> dict[str, str]:
    return {_person(one): str(one.get("displayName", "")) for one in people}


def _config(field: str, reason: str) -> TrackerError:
    return TrackerError(Fault.CONFIG, reason, field=field)
