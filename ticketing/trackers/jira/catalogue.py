"""What a Jira has to offer: spaces, issue types, fields, people, priorities, statuses.

Each method makes few requests, however large the Jira is, and raises only TrackerError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from html import unescape
from typing import Any
from urllib.parse import quote

from ticketing.fields.spec import FieldKind, FieldSpec, Option
from ticketing.trackers.base import Category, Fault, RemoteUser, TrackerError
from ticketing.trackers.catalogue import IssueType, Priority, Space, Status
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.fields import field_specs

_PAGE = 100
_MOST_PAGES = 10
_MOST_PEOPLE = 50


class JiraCatalogue:
    def __init__(self, client: JiraClient) -> None:
        self._client = client

    def spaces(self, query: str = "") -> list[Space]:
        """Spaces by name, at most 1,000. On Cloud those where we may create issues; Data Center
        does not say, so there they are all that we may see."""
        found: Iterable[Mapping[str, Any]]
        if self._client.is_cloud:
            asked = {"action": "create", "orderBy": "name", **({"query": query} if query else {})}
            found = self._pages("project/search", "values", asked)
        else:
            found = _dicts(self._client.get("project"))
        text = query.casefold()
        spaces = (_space(raw) for raw in found if raw.get("id"))
        return sorted(
            (s for s in spaces if text in s.key.casefold() or text in s.name.casefold()),
            key=lambda space: space.name.casefold(),
        )

    def visible_spaces(self) -> int:
        """How many spaces we may see."""
        if not self._client.is_cloud:
            return len(_dicts(self._client.get("project")))
        page = self._get("project/search", {"action": "browse", "maxResults": 1})
        return _number(page.get("total"), len(_dicts(page.get("values"))))

    def space(self, id_or_key: str) -> Space:
        """Raises a TrackerError with status 404 if there is none that we may see."""
        raw = self._client.get(f"project/{_part(id_or_key)}")
        if not isinstance(raw, Mapping) or not raw.get("id"):
            raise TrackerError(Fault.TRANSIENT, "Jira sent a space without an id.")
        return _space(raw)

    def issue_types(self, space_id: str) -> list[IssueType]:
        """Empty where we may not create issues."""
        path = f"issue/createmeta/{_part(space_id)}/issuetypes"
        return [
            IssueType(str(raw["id"]), str(raw.get("name") or raw["id"]), raw.get("subtask") is True)
            for raw in self._pages(path, "issueTypes")
            if raw.get("id")
        ]

    def create_fields(self, space_id: str, type_id: str) -> list[FieldSpec]:
        """The fields of the create screen."""
        path = f"issue/createmeta/{_part(space_id)}/issuetypes/{_part(type_id)}"
        return field_specs(list(self._pages(path, "fields")))

    def fields_to_fill(self, space_id: str, type_id: str) -> list[FieldSpec]:
        """The same, with what there is to choose from where create metadata does not say it.

        Where Jira does not say it elsewhere either, the id is typed.
        """
        specs = self.create_fields(space_id, type_id)
        return [self._with_options(spec, space_id, type_id) for spec in specs]

    def _with_options(self, spec: FieldSpec, space_id: str, type_id: str) -> FieldSpec:
        if spec.options or spec.kind not in (FieldKind.TEAM, FieldKind.REQUEST_TYPE):
            return spec
        try:
            if spec.kind is FieldKind.REQUEST_TYPE:
                return replace(spec, options=tuple(self.request_types(space_id, type_id)))
            return replace(spec, options=tuple(self.teams(spec.id)), has_more_options=True)
        except TrackerError:
            return spec

    def request_types(self, space_id: str, type_id: str) -> list[Option]:
        """Of the service desk that the space is, for issues of the type; none if it is none."""
        desks = self._service_desk_pages("servicedesk")
        desk = next((raw.get("id") for raw in desks if str(raw.get("projectId")) == space_id), None)
        if desk is None:
            return []
        return [
            Option(str(raw["id"]), str(raw.get("name") or raw["id"]))
            for raw in self._service_desk_pages(f"servicedesk/{_part(str(desk))}/requesttype")
            if raw.get("id") and str(raw.get("issueTypeId") or type_id) == type_id
        ]

    def teams(self, field_id: str, query: str = "") -> list[Option]:
        """The first few teams with this in their name, as Jira proposes them for its searches."""
        number = field_id.removeprefix("customfield_")
        asked = {"fieldName": f"cf[{number}]", "fieldValue": query}
        found = self._get("jql/autocompletedata/suggestions", asked).get("results")
        return [
            Option(str(raw["value"]), _without_marks(raw.get("displayName") or raw["value"]))
            for raw in _dicts(found)
            if raw.get("value")
        ]

    def priorities(self) -> list[Priority]:
        """The highest first."""
        raws: Iterable[Mapping[str, Any]]
        if self._client.is_cloud:
            raws = self._pages("priority/search", "values")
        else:
            raws = _dicts(self._client.get("priority"))
        return [Priority(str(raw["id"]), str(raw.get("name"))) for raw in raws if raw.get("id")]

    def statuses(self, space_id: str, type_id: str) -> list[Status]:
        """The statuses that an issue of this type can have, each once."""
        types = _dicts(self._client.get(f"project/{_part(space_id)}/statuses"))
        ours = (raw.get("statuses") for raw in types if str(raw.get("id")) == type_id)
        found = {str(raw["id"]): raw for raw in _dicts(next(ours, None)) if raw.get("id")}
        return [Status(id_, str(raw.get("name")), _category(raw)) for id_, raw in found.items()]

    # --- People -------------------------------------------------------------------------

    def assignable(self, space_key: str, query: str = "") -> list[RemoteUser]:
        """People whom an issue of the space can be assigned to, the first 50 by name."""
        word = "query" if self._client.is_cloud else "username"
        # Cloud filters after it has paged: only a large page finds anybody for sure.
        asked = {"project": space_key, word: query, "maxResults": 1000}
        found = self._people("user/assignable/search", asked)
        return sorted(found, key=lambda user: user.name.casefold())[:_MOST_PEOPLE]

    def user_by_email(self, email: str) -> RemoteUser | None:
        """The person with this e-mail address, as far as Jira says so.

        People may hide theirs from us. The search knows it all the same: then the only one
        found is meant.
        """
        word = "query" if self._client.is_cloud else "username"
        found = self._people("user/search", {word: email, "maxResults": 10})
        for user in found:
            if user.email.casefold() == email.casefold():
                return user
        return found[0] if len(found) == 1 and not found[0].email else None

    def _people(self, path: str, asked: Mapping[str, Any]) -> list[RemoteUser]:
        name = "accountId" if self._client.is_cloud else "name"
        return [
            RemoteUser(
                str(raw[name]),
                str(raw.get("displayName") or raw[name]),
                str(raw.get("emailAddress") or ""),
            )
            for raw in _dicts(self._client.get(path, params=asked))
            if raw.get(name) and raw.get("active") is not False and _is_human(raw)
        ]

    # --- Requests -----------------------------------------------------------------------

    def _get(self, path: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        page = self._client.get(path, params=asked)
        return page if isinstance(page, Mapping) else {"values": page}

    def _service_desk_pages(self, path: str) -> Iterator[Mapping[str, Any]]:
        start = 0
        for _ in range(_MOST_PAGES):
            page = self._get(f"/rest/servicedeskapi/{path}", {"start": start, "limit": _PAGE})
            items = _dicts(page.get("values"))
            yield from items
            start += len(items)
            if not items or page.get("isLastPage") is not False:
                return

    def _pages(
        self, path: str, name: str, asked: Mapping[str, Any] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Cloud calls some lists after what is in them, Data Center says `values`."""
        start = 0
        for _ in range(_MOST_PAGES):
            page = self._get(path, {**(asked or {}), "startAt": start, "maxResults": _PAGE})
            items = _dicts(page.get(name, page.get("values")))
            yield from items
            start += len(items)
            if (
                not items
                or page.get("isLast") is True
                or start >= _number(page.get("total"), start)
            ):
                return


def _part(identity: str) -> str:
    return quote(identity, safe="")


def _dicts(raw: Any) -> list[Mapping[str, Any]]:
    return [item for item in raw if isinstance(item, Mapping)] if isinstance(raw, list) else []


def _without_marks(name: Any) -> str:
    """The name of a proposal, in which what was typed is bold."""
    return unescape(re.sub(r"</?b>", "", str(name)))


def _number(raw: Any, default: int) -> int:
    return raw if isinstance(raw, int) else default


def _space(raw: Mapping[str, Any]) -> Space:
    is_archived = raw.get("archived") is True or raw.get("deleted") is True
    return Space(str(raw["id"]), str(raw.get("key")), str(raw.get("name")), is_archived)


def _category(raw: Mapping[str, Any]) -> Category:
    """What the status means; one of no category counts as new."""
    category = raw.get("statusCategory")
    key = category.get("key") if isinstance(category, Mapping) else None
    return Category(key) if key in list(Category) else Category.NEW


def _is_human(raw: Mapping[str, Any]) -> bool:
    return raw.get("accountType") in (None, "atlassian")
