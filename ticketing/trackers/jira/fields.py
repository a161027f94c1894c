"""The fields of an issue type, as Jira's create metadata describes them.

Pure. Cloud and Data Center say the same in slightly different shapes, and neither is trusted
to be complete: what is not understood is a field that is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

ASSIGNEE = "assignee"
_OURS = frozenset({"project", "issuetype", "reporter", "summary", "description"})
_NOT_OFFERED = _OURS | {ASSIGNEE, "attachment", "issuelinks"}
"""What the ticket has anyway, what has its own place in the editor, what is not a value."""


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
    UNSUPPORTED = "unsupported"

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
        FieldKind.UNSUPPORTED,
    }
)


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
    custom: str = ""  # the type of a custom field, as Jira names it

    @property
    def is_offered(self) -> bool:
        """Whether a rule may set it among its fields."""
        return self.kind is not FieldKind.UNSUPPORTED and self.id not in _NOT_OFFERED

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


# --- Create metadata → specs ------------------------------------------------------------

_KIND_OF_CUSTOM = {
    "textfield": FieldKind.TEXT,
    "textarea": FieldKind.PARAGRAPH,
    "url": FieldKind.URL,
    "float": FieldKind.NUMBER,
    "datepicker": FieldKind.DATE,
    "datetime": FieldKind.DATETIME,
    "labels": FieldKind.LABELS,
    "select": FieldKind.SELECT,
    "radiobuttons": FieldKind.SELECT,
    "multiselect": FieldKind.MULTI_SELECT,
    "multicheckboxes": FieldKind.MULTI_SELECT,
    "cascadingselect": FieldKind.CASCADING,
    "version": FieldKind.VERSION,
    "multiversion": FieldKind.VERSIONS,
    "userpicker": FieldKind.USER,
    "multiuserpicker": FieldKind.USERS,
    "grouppicker": FieldKind.GROUP,
    "multigrouppicker": FieldKind.GROUPS,
    "gh-epic-link": FieldKind.EPIC_LINK,
    "gh-epic-label": FieldKind.TEXT,
    # What the words of a schema would take for something else:
    "gh-sprint": FieldKind.UNSUPPORTED,
    "readonlyfield": FieldKind.UNSUPPORTED,
    "project": FieldKind.UNSUPPORTED,
}
_KIND_OF_SYSTEM = {
    "description": FieldKind.PARAGRAPH,
    "environment": FieldKind.PARAGRAPH,
    "labels": FieldKind.LABELS,
    "parent": FieldKind.PARENT,
}
_KIND_OF_TYPE = {
    "string": FieldKind.TEXT,
    "number": FieldKind.NUMBER,
    "date": FieldKind.DATE,
    "datetime": FieldKind.DATETIME,
    "option": FieldKind.SELECT,
    "option-with-child": FieldKind.CASCADING,
    "priority": FieldKind.PRIORITY,
    "version": FieldKind.VERSION,
    "user": FieldKind.USER,
    "group": FieldKind.GROUP,
}
_KIND_OF_ITEMS = {
    "string": FieldKind.LABELS,
    "option": FieldKind.MULTI_SELECT,
    "component": FieldKind.COMPONENTS,
    "version": FieldKind.VERSIONS,
    "user": FieldKind.USERS,
    "group": FieldKind.GROUPS,
}


def field_specs(fields: Any) -> list[FieldSpec]:
    """The specs of a list of create metadata; entries that make no sense are left out."""
    entries = fields.values() if isinstance(fields, Mapping) else fields
    if not isinstance(entries, Iterable) or isinstance(entries, str):
        return []
    return [spec for entry in entries if (spec := _spec(entry)) is not None]


def _spec(entry: Any) -> FieldSpec | None:
    if not isinstance(entry, Mapping):
        return None
    field_id = str(entry.get("fieldId") or entry.get("key") or "")
    schema = entry.get("schema")
    if not field_id or not isinstance(schema, Mapping):
        return None
    has_default = bool(entry.get("hasDefaultValue"))
    return FieldSpec(
        id=field_id,
        name=str(entry.get("name") or field_id),
        kind=_kind(field_id, schema, entry.get("operations")),
        is_required=bool(entry.get("required")) and not has_default,
        has_default=has_default,
        options=_options(entry.get("allowedValues")),
        custom=str(schema.get("custom") or ""),
    )


def _kind(field_id: str, schema: Mapping[str, Any], operations: Any) -> FieldKind:
    if isinstance(operations, list) and operations and "set" not in operations:
        return FieldKind.UNSUPPORTED
    words = {name: str(schema.get(name) or "") for name in ("custom", "system", "type", "items")}
    custom = re.split("[:.]", words["custom"])[-1]
    if custom in _KIND_OF_CUSTOM:
        return _KIND_OF_CUSTOM[custom]
    if not words["custom"]:
        system = words["system"] or field_id
        if system in _KIND_OF_SYSTEM:
            return _KIND_OF_SYSTEM[system]
    if words["type"] == "array":
        return _KIND_OF_ITEMS.get(words["items"], FieldKind.UNSUPPORTED)
    return _KIND_OF_TYPE.get(words["type"], FieldKind.UNSUPPORTED)


def _options(values: Any) -> tuple[Option, ...]:
    """Options that may be chosen. System fields say "name", those of custom fields "value"."""
    if not isinstance(values, list):
        return ()
    return tuple(
        Option(
            str(value["id"]),
            str(value.get("value") or value.get("name") or value["id"]),
            _options(value.get("children")),
        )
        for value in values
        if isinstance(value, Mapping) and value.get("id") and not _is_gone(value)
    )


def _is_gone(value: Mapping[str, Any]) -> bool:
    return value.get("disabled") is True or value.get("archived") is True


# --- Specs and the fields of a rule ------------------------------------------------------


class Problem(NamedTuple):
    """Why Jira would refuse the fields of a rule, for a person."""

    field_id: str
    sentence: str


def offered(specs: Iterable[FieldSpec]) -> list[FieldSpec]:
    """What the editor offers: required fields first, each part by name."""
    found = (spec for spec in specs if spec.is_offered)
    return sorted(found, key=lambda spec: (not spec.is_required, spec.name.casefold()))


def missing(specs: Iterable[FieldSpec], fields: Mapping[str, Any]) -> list[FieldSpec]:
    """The fields that Jira requires of a new issue and that have no value here."""
    return [
        spec
        for spec in specs
        if spec.is_required and spec.id not in _OURS and fields.get(spec.id) in (None, "", [], {})
    ]


def problems(specs: Sequence[FieldSpec], fields: Mapping[str, Any], *, space: str) -> list[Problem]:
    """What of the fields of a rule Jira would refuse now, in the space with this key."""
    known = {spec.id: spec for spec in specs}
    found = [
        Problem(spec.id, f"Field {spec.name} is now required in {space}.")
        for spec in missing(specs, fields)
    ]
    for field_id, value in fields.items():
        spec = known.get(field_id)
        if field_id in _OURS or value in (None, "", [], {}):
            continue
        if spec is None or spec.kind is FieldKind.UNSUPPORTED:
            name = spec.name if spec else field_id
            found.append(Problem(field_id, f"Field {name} can no longer be set in {space}."))
        elif spec.kind.has_options and spec.options and not _are_offered(spec.options, value):
            found.append(
                Problem(field_id, f"A value of field {spec.name} no longer exists in {space}.")
            )
    return found


def _are_offered(options: Sequence[Option], value: Any) -> bool:
    """Whether every option that is named by its id is there. Labels may depend on the finding."""
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, Mapping) or item.get("id") is None:
            continue
        option = find_option(options, item)
        if option is None:
            return False
        if option.children and not _are_offered(option.children, item.get("child")):
            return False
    return True
