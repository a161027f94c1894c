"""One HTTP exchange as values: what came in, what goes out, where it is handled."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.model import Person
from ticketing.trackers.jira.sandbox.shapes import Shapes
from ticketing.trackers.jira.sandbox.site import Site


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request for the REST API, with who sends it."""

    site: Site
    method: str
    path: str
    query: Mapping[str, str]  # of a parameter given twice, the values joined by commas
    headers: Mapping[str, str] = field(repr=False)  # by lower-case name
    body: bytes = b""
    person: Person | None = None
    version: str = "2"
    parts: Mapping[str, str] = field(default_factory=dict)  # of the path

    @property
    def shapes(self) -> Shapes:
        return Shapes(self.site, self.version)

    @property
    def caller(self) -> Person:
        """For routes that do not serve strangers."""
        assert self.person is not None  # noqa: S101  the server has refused strangers
        return self.person

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            raise Refused(
                400, "There was an error parsing JSON. Check that your request body is valid."
            ) from None

    @property
    def payload(self) -> dict[str, Any]:
        payload = self.json
        if not isinstance(payload, dict):
            raise Refused(400, "Invalid request payload. Refer to the REST API documentation.")
        return payload

    def names(self, parameter: str) -> list[str]:
        return [name.strip() for name in self.query.get(parameter, "").split(",") if name.strip()]

    def number(self, parameter: str, default: int) -> int:
        text = self.query.get(parameter, "")
        if text and not text.isdigit():
            raise Refused(400, f"{parameter} must be a number")
        return int(text) if text else default


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(
        cls, value: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Answer:
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status=status, body=body, headers=headers or {})


NO_CONTENT = Answer(status=204)

Handler = Callable[[Call], Answer]


class Route(NamedTuple):
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    serves_strangers: bool = False  # "accessible anonymously", in Atlassian's words
    only_on: str = ""  # one deployment


def route(method: str, path: str, handler: Handler, **more: Any) -> Route:
    """`path` is below /rest/api/{version}/, or absolute; {names} are parts."""
    prefix = "" if path.startswith("/") else "/rest/api/(?P<version>2|3|latest)/"
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(f"{prefix}{pattern}"), handler, **more)


def page(values: list[Any], call: Call, *, default: int = 50, limit: int = 100) -> dict[str, Any]:
    """A slice of a list with where it stands; too much asked for is given less."""
    start = call.number("startAt", 0)
    size = min(call.number("maxResults", default), limit)
    return {
        "startAt": start,
        "maxResults": size,
        "total": len(values),
        "isLast": start + size >= len(values),
        "values": values[start : start + size],
    }
