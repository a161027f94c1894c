"""Does a field take this value? Kept as ids and words; `shapes` turns them into what is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from ticketing.trackers.jira.sandbox import defaults
from ticketing.trackers.jira.sandbox.documents import check_document
from ticketing.trackers.jira.sandbox.errors import InvalidValue
from ticketing.trackers.jira.sandbox.model import Field, Kind, Option, Project
from ticketing.trackers.jira.sandbox.site import Site

_SUMMARY_LIMIT = 255  # all of them in units of UTF-16, as Java counts
_LABEL_LIMIT = 255
TEXT_LIMIT = 32_767


class Checker:
    """Checks values as one version of the REST API and one project want them."""

    def __init__(self, site: Site, project: Project, version: str) -> None:
        self._site = site
        self._project = project
        self._version = version

    def check(self, field: Field, value: Any) -> Any:
        """The value as it is kept; None empties the field."""
        return None if value is None else _CHECKS[field.kind](self, field, value)

    def text(self, field: Field, value: Any) -> str:
        if not isinstance(value, str):
            raise InvalidValue("Operation value must be a string")
        if field.id == "summary":
            return self._summary(value)
        if _units(value) > _SUMMARY_LIMIT:
            raise InvalidValue(f"{field.name} must be less than 255 characters")
        return value

    def _summary(self, value: str) -> str:
        if not value.strip():
            raise InvalidValue("You must specify a summary of the issue.")
        if "\n" in value or "\r" in value:
            raise InvalidValue("The summary is invalid because it contains newline characters.")
        if _units(value) >= _SUMMARY_LIMIT:
            raise InvalidValue("Summary must be less than 255 characters.")
        return value

    def long_text(self, _: Field, value: Any) -> str | dict[str, Any]:
        if self._version == "3":
            return check_document(value)
        if not isinstance(value, str):
            raise InvalidValue("Operation value must be a string")
        if _units(value) > TEXT_LIMIT:
            raise InvalidValue(
                "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
            )
        return value

    def number(self, _: Field, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InvalidValue("Operation value must be a number")
        return value

    def date(self, field: Field, value: Any) -> str:
        try:
            return date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            raise InvalidValue(
                f"Error parsing date string: {value}"
                if isinstance(value, str)
                else f"{field.name}: data must be a date string"
            ) from None

    def date_time(self, _: Field, value: Any) -> str:
        try:
            parsed = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z")
        except (TypeError, ValueError):
            raise InvalidValue(f"Error parsing time: {value}") from None
        return parsed.isoformat(timespec="milliseconds")

    def url(self, _: Field, value: Any) -> str:
        if not isinstance(value, str) or urlsplit(value).scheme not in {"http", "https", "ftp"}:
            raise InvalidValue("The URL specified is not valid.")
        return value

    def labels(self, _: Field, value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
            raise InvalidValue("Operation value must be an array of strings")
        for label in value:
            if any(character.isspace() for character in label):
                raise InvalidValue(f"The label '{label}' contains spaces which is invalid.")
            if _units(label) > _LABEL_LIMIT:
                raise InvalidValue("The label is longer than 255 characters.")
        return sorted(set(value))

    def option(self, field: Field, value: Any) -> str:
        return self._choice(field.options, value, "value").id

    def named(self, field: Field, value: Any) -> str:
        return self._choice(field.options, value, "name").id

    def priority(self, _: Field, value: Any) -> str:
        return self._choice(self._site.priorities, value, "name").id

    def options(self, field: Field, value: Any) -> list[str]:
        return [self.option(field, one) for one in _array(value)]

    def named_options(self, field: Field, value: Any) -> list[str]:
        return [self.named(field, one) for one in _array(value)]

    def cascading(self, field: Field, value: Any) -> dict[str, str]:
        parent = self._choice(field.options, value, "value")
        if not (child := value.get("child")):
            return {"id": parent.id}
        return {"id": parent.id, "child": self._choice(parent.children, child, "value").id}

    def _choice(self, options: tuple[Option, ...], value: Any, word: str) -> Option:
        if not isinstance(value, dict):
            raise InvalidValue(
                f"Could not find valid 'id' or '{word}' in the Parent Option object."
            )
        identity, name = value.get("id"), value.get(word)
        for option in options:
            if option.id == identity or (identity is None and option.name == name):
                return option
        if word == "name":
            raise InvalidValue(f"{name or identity} is not valid")
        raise InvalidValue(f"Option id '{identity or 'null'}' is not valid")

    def user(self, field: Field, value: Any) -> str | None:
        identity = self._identity(value)
        if identity is None:
            return None
        person = self._site.person(identity)
        if person is None:
            raise InvalidValue(f"User '{identity}' does not exist.")
        if field.id == "assignee" and not person.is_active:
            raise InvalidValue(f"User '{identity}' cannot be assigned issues.")
        return person.account_id

    def _identity(self, value: Any) -> str | None:
        if not isinstance(value, dict):
            raise InvalidValue("data was not an object")
        words = ("accountId", "id") if self._site.is_cloud else ("name",)
        for word in words:
            if word in value:
                identity: str | None = value[word]
                return identity
        raise InvalidValue(f"expected Object containing a '{words[0]}' property")

    def users(self, field: Field, value: Any) -> list[str | None]:
        return [self.user(field, one) for one in _array(value)]

    def group(self, _: Field, value: Any) -> str:
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            raise InvalidValue("Group name is required.")
        name: str = value["name"]
        return name

    def team(self, _: Field, value: Any) -> str:
        return self._id_among(defaults.ORG_TEAMS, value, "Team id '{}' is not valid")

    def request_type(self, _: Field, value: Any) -> str:
        said = "The request type '{}' does not exist in this project."
        return self._id_among(self._project.request_types, value, said)

    def _id_among(self, options: tuple[Option, ...], value: Any, said: str) -> str:
        if not isinstance(value, str):
            raise InvalidValue("Operation value must be a string")
        if value not in {option.id for option in options}:
            raise InvalidValue(said.format(value))
        return value

    def sprint(self, _: Field, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidValue("Number value expected as the Sprint id.")
        return value

    def assets(self, _: Field, value: Any) -> list[Any]:
        for one in _array(value):
            if not isinstance(one, dict) or not {"id", "key"} & set(one):
                raise InvalidValue("An object needs an id or a key.")
        return list(value)

    def project_picker(self, field: Field, value: Any) -> str:
        keys = {"SEC": "10000", "PLAT": "10001"}
        if isinstance(value, dict) and value.get("key") in keys:
            return keys[value["key"]]
        return self._choice(field.options, value, "name").id

    def issue_links(self, _: Field, value: Any) -> list[Any]:
        """Kept as they are said: who looks at an issue does not see these."""
        for one in _array(value):
            other = one.get("outwardIssue") or one.get("inwardIssue")
            if not other or self._site.find_issue(str(other.get("key"))) is None:
                raise InvalidValue("Could not find issue by id or key.")
        return list(value)

    def of_an_app(self, field: Field, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("score"), int | float):
            raise InvalidValue(f"{field.name} needs an object with a numeric score.")
        return value

    def parent(self, _: Field, value: Any) -> str:
        identity = value if isinstance(value, str) else None  # Epic Link is a bare key
        if isinstance(value, dict):
            identity = value.get("key") or value.get("id")
        issue = self._site.find_issue(str(identity))
        if issue is None:
            raise InvalidValue("Could not find issue by id or key.")
        return str(issue.id)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidValue("data was not an array")
    return value


def _same(_: Checker, __: Field, value: Any) -> Any:
    return value


_CHECKS: dict[Kind, Callable[[Checker, Field, Any], Any]] = {
    Kind.TEXT: Checker.text,
    Kind.TEXT_AREA: Checker.long_text,
    Kind.NUMBER: Checker.number,
    Kind.DATE: Checker.date,
    Kind.DATE_TIME: Checker.date_time,
    Kind.URL: Checker.url,
    Kind.LABELS: Checker.labels,
    Kind.SELECT: Checker.option,
    Kind.RADIO: Checker.option,
    Kind.MULTI_SELECT: Checker.options,
    Kind.CHECKBOXES: Checker.options,
    Kind.CASCADING: Checker.cascading,
    Kind.USER: Checker.user,
    Kind.USERS: Checker.users,
    Kind.GROUP: Checker.group,
    Kind.PRIORITY: Checker.priority,
    Kind.COMPONENTS: Checker.named_options,
    Kind.VERSION: Checker.named,
    Kind.VERSIONS: Checker.named_options,
    Kind.PARENT: Checker.parent,
    Kind.EPIC_LINK: Checker.parent,
    Kind.RESOLUTION: Checker.named,
    Kind.EPIC_NAME: Checker.text,
    Kind.SECURITY_LEVEL: Checker.named,
    Kind.TEAM: Checker.team,
    Kind.REQUEST_TYPE: Checker.request_type,
    Kind.SPRINT: Checker.sprint,
    Kind.ASSETS: Checker.assets,
    Kind.PROJECT_PICKER: Checker.project_picker,
    Kind.ISSUE_LINKS: Checker.issue_links,
    Kind.OF_AN_APP: Checker.of_an_app,
    Kind.PROJECT: _same,
    Kind.ISSUE_TYPE: _same,
}
