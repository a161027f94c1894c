"""The fields of a ticket type, in our words: what kind each is, what may be chosen. Pure.

Each tracker reads its own description into them. A field that it does not understand is raw
JSON, of which the other side alone is the judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

OF_EACH_TICKET = frozenset({"project", "issuetype", "summary", "description"})
"""What a ticket has anyway."""
_NOT_OFFERED = OF_EACH_TICKET | {"assignee", "attachment"}
"""The same, what has its own place in the editor, and what takes another call."""


class FieldError(ValueError):
    """A value that a field does not take; `str(error)` is a sentence for below the field."""

    def __init__(self, field_id: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field_id = field_id
        self.sentence = sentence


class FieldKind(StrEnum):
    TEXT = "text"
    PARAGRAPH = "paragraph"
    URL = "url"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    LABELS = "labels"
    SELECT = "select"
    MULTI_SELECT = "multi_select"
    CASCADING = "cascading"
    PRIORITY = "priority"
    COMPONENTS = "components"
    VERSION = "version"
    VERSIONS = "versions"
    USER = "user"
    USERS = "users"
    GROUP = "group"
    GROUPS = "groups"
    PARENT = "parent"
    EPIC_LINK = "epic_link"
    SECURITY_LEVEL = "security_level"
    TEAM = "team"
    REQUEST_TYPE = "request_type"
    SPRINT = "sprint"
    ASSETS = "assets"
    PROJECT = "project"
    RAW = "raw"  # JSON as Jira wants it: no kind that we know

    @property
    def has_options(self) -> bool:
        """Whether a value is chosen from a list that Jira gives."""
        return self in _WITH_OPTIONS

    @property
    def is_many(self) -> bool:
        return self in _MANY

    @property
    def takes_placeholders(self) -> bool:
        return self not in _WITHOUT_PLACEHOLDERS

    @property
    def word(self) -> str:
        """What an option's label is called on the wire."""
        return "value" if self in _CUSTOM_OPTIONS else "name"


_CUSTOM_OPTIONS = frozenset({FieldKind.SELECT, FieldKind.MULTI_SELECT, FieldKind.CASCADING})
_WITH_OPTIONS = _CUSTOM_OPTIONS | {
    FieldKind.PRIORITY,
    FieldKind.COMPONENTS,
    FieldKind.VERSION,
    FieldKind.VERSIONS,
    FieldKind.SECURITY_LEVEL,
    FieldKind.TEAM,
    FieldKind.REQUEST_TYPE,
    FieldKind.PROJECT,
}
_MANY = frozenset(
    {
        FieldKind.LABELS,
        FieldKind.MULTI_SELECT,
        FieldKind.COMPONENTS,
        FieldKind.VERSIONS,
        FieldKind.USERS,
        FieldKind.GROUPS,
    }
)
_WITHOUT_PLACEHOLDERS = frozenset(
    {
        FieldKind.USER,
        FieldKind.USERS,
        FieldKind.GROUP,
        FieldKind.GROUPS,
        FieldKind.PARENT,
        FieldKind.EPIC_LINK,
    }
)


DATES = frozenset({FieldKind.DATE, FieldKind.DATETIME})
"""What can hold a due date."""


class Option(NamedTuple):
    id: str
    label: str
    children: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    id: str
    name: str
    kind: FieldKind
    is_required: bool = False  # must be supplied: required, and Jira has no default for it
    has_default: bool = False
    options: tuple[Option, ...] = ()
    has_more_options: bool = False  # than these: Jira has a search for the others
    is_only_added_to: bool = False  # it has no value that is set
    custom: str = ""  # the type of a custom field, as Jira names it

    @property
    def is_offered(self) -> bool:
        """Whether a rule may set it among its fields."""
        return self.id not in _NOT_OFFERED

    @property
    def has_all_options(self) -> bool:
        """Whether a value that is not among the options does not exist."""
        return bool(self.options) and not self.has_more_options

    def option(self, value: Any) -> Option | None:
        """The option that a value means: by id, else by its label in any case."""
        return find_option(self.options, value)


def find_option(options: Iterable[Option], value: Any) -> Option | None:
    if isinstance(value, Mapping):
        wanted = value.get("id")
        word = value.get("value", value.get("name"))
    else:
        wanted, word = None, value
    if wanted is not None:
        return next((option for option in options if option.id == str(wanted)), None)
    label = str(word).strip().casefold() if isinstance(word, str | int | float) else ""
    return next((option for option in options if option.label.strip().casefold() == label), None)


def offered(specs: Iterable[FieldSpec]) -> list[FieldSpec]:
    """What the editor offers: required fields first, each part by name."""
    found = (spec for spec in specs if spec.is_offered)
    return sorted(found, key=lambda spec: (not spec.is_required, spec.name.casefold()))


def is_empty(value: Any) -> bool:
    """Whether nothing would be sent for it. Zero and false are values."""
    return value is None or (isinstance(value, str | list | tuple | Mapping) and not value)
