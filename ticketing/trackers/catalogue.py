"""The port to what a tracker has to offer: places, fields, people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from ticketing.fields.spec import FieldSpec, Option
from ticketing.trackers.base import Category, RemoteUser


class Space(NamedTuple):
    """What Jira's REST API calls a project."""

    id: str
    key: str
    name: str
    is_archived: bool = False


class IssueType(NamedTuple):
    id: str
    name: str
    is_subtask: bool = False  # needs a parent


class Priority(NamedTuple):
    id: str
    name: str


class Status(NamedTuple):
    id: str
    name: str
    category: Category


class Catalogue(Protocol):
    """Each method makes few requests, however much there is, and raises only TrackerError."""

    def spaces(self, query: str = "") -> Sequence[Space]:
        """Spaces by name, those where issues may be created as far as that is told."""
        ...

    def space(self, id_or_key: str) -> Space:
        """Raises a TrackerError with status 404 if there is none that we may see."""
        ...

    def issue_types(self, space_id: str) -> Sequence[IssueType]:
        """Empty where we may not create issues."""
        ...

    def create_fields(self, space_id: str, type_id: str) -> Sequence[FieldSpec]:
        """The fields that a new issue of the type can have."""
        ...

    def fields_to_fill(self, space_id: str, type_id: str) -> Sequence[FieldSpec]:
        """The same, with whatever there is to choose from."""
        ...

    def statuses(self, space_id: str, type_id: str) -> Sequence[Status]:
        """The statuses that an issue of this type can have, each once."""
        ...

    def priorities(self) -> Sequence[Priority]:
        """The highest first."""
        ...

    def assignable(self, space_key: str, query: str = "") -> Sequence[RemoteUser]:
        """People whom an issue of the space can be assigned to, the first few by name."""
        ...

    def teams(self, field_id: str, query: str = "") -> Sequence[Option]:
        """The first few teams with this in their name that the field can name."""
        ...


class FieldForms(Protocol):
    """The values of fields, as a form sends and shows them and as an issue is drafted with."""

    def from_form(self, spec: FieldSpec, raw: Sequence[str], *, type_name: str, space: str) -> Any:
        """The value for what a form sent under one name; None for nothing. Raises FieldError."""
        ...

    def to_form(self, spec: FieldSpec, value: Any) -> list[str]:
        """What the form shows for a value that is kept."""
        ...

    def raw_help(self, spec: FieldSpec) -> str:
        """What a person needs to know to write the value of a kind that is not known."""
        ...
