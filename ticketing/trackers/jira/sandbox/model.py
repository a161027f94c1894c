"""The things of a Jira site, as plain values that a file can keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Person(NamedTuple):
    account_id: str  # Cloud's name for a person
    name: str  # Data Center's
    display_name: str
    email: str = ""  # often hidden
    is_active: bool = True


class Status(NamedTuple):
    id: str
    name: str
    category: str  # new, indeterminate, done


class IssueType(NamedTuple):
    id: str
    name: str
    level: int = 0  # -1: a sub-task, 1: an epic


class Option(NamedTuple):
    id: str
    name: str
    children: tuple[Option, ...] = ()


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    TEXT_AREA = "textarea"
    NUMBER = "number"
    DATE = "date"
    DATE_TIME = "datetime"
    URL = "url"
    LABELS = "labels"
    SELECT = "select"
    RADIO = "radio"
    MULTI_SELECT = "multiselect"
    CHECKBOXES = "checkboxes"
    CASCADING = "cascading"
    USER = "user"
    USERS = "users"
    GROUP = "group"
    PRIORITY = "priority"
    COMPONENTS = "components"
    VERSION = "version"
    VERSIONS = "versions"
    PARENT = "parent"
    PROJECT = "project"
    ISSUE_TYPE = "issuetype"
    EPIC_NAME = "epicname"
    EPIC_LINK = "epiclink"
    SECURITY_LEVEL = "securitylevel"
    TEAM = "team"
    REQUEST_TYPE = "requesttype"
    SPRINT = "sprint"
    ASSETS = "assets"
    PROJECT_PICKER = "projectpicker"
    ISSUE_LINKS = "issuelinks"
    OF_AN_APP = "ofanapp"  # only the app knows what its values look like
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field on the create screen of a project's issue type."""

    id: str
    name: str
    kind: Kind
    required: bool = False
    options: tuple[Option, ...] = ()
    default: Any = None  # as it is read

    @property
    def is_custom(self) -> bool:
        return self.id.startswith("customfield_")


class Transition(NamedTuple):
    id: str
    name: str
    source: str  # Status.id
    target: str
    screen: tuple[Field, ...] = ()
    validated: tuple[str, ...] = ()  # Field.id: wanted, though the screen does not say so


@dataclass(slots=True, kw_only=True)
class Project:
    id: str
    key: str
    name: str
    transitions: tuple[Transition, ...]
    fields: dict[str, dict[str, Field]]  # IssueType.id → Field.id → Field
    request_types: tuple[Option, ...] = ()  # of a service desk
    last_number: int = 0
    archived: bool = False
    deleted: bool = False
    keeps_resolution: bool = False  # its workflow does not empty it when an issue is reopened

    @property
    def is_service_desk(self) -> bool:
        return bool(self.request_types)


class ChangedItem(NamedTuple):
    """What changed of one field: the ids and the words, before and after."""

    field: str
    before_id: str | None
    before: str | None
    after_id: str | None
    after: str | None


@dataclass(slots=True, kw_only=True)
class History:
    id: int
    at: datetime
    by: str  # Person.account_id
    items: list[ChangedItem]


@dataclass(slots=True, kw_only=True)
class Comment:
    id: int
    author: str
    text: str | dict[str, Any]  # wiki markup, or a document
    created_at: datetime
    updated_at: datetime
    properties: dict[str, Any] = field(default_factory=dict)
    visibility: dict[str, str] | None = None  # the role or group that alone may read it


@dataclass(slots=True, kw_only=True)
class Issue:
    id: int
    key: str
    project_id: str
    type_id: str
    status_id: str
    creator: str
    created_at: datetime
    updated_at: datetime
    fields: dict[str, Any]  # as they were sent, checked; long text is wiki markup or a document
    properties: dict[str, Any] = field(default_factory=dict)
    histories: list[History] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    links: dict[str, dict[str, Any]] = field(default_factory=dict)  # remote links by globalId
    related: list[dict[str, Any]] = field(default_factory=list)  # issue links
    searchable_at: datetime | None = None  # the index shows it from then on
    fresh_at: datetime | None = None  # the index knows of the last write from then on
    stale_updated_at: datetime | None = None  # what the index believes until then

    @property
    def number(self) -> int:
        return int(self.key.rpartition("-")[2])
