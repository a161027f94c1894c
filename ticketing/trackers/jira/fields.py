"""The fields of an issue type, as Jira's create metadata describes them.

Pure. Cloud and Data Center say the same in slightly different shapes, and neither is trusted
to be complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ticketing.fields.spec import (
    OF_EACH_TICKET,
    FieldKind,
    FieldSpec,
    Option,
    find_option,
    is_empty,
)

_SUPPLIED = OF_EACH_TICKET | {"reporter", "labels"}
"""Never missing: Jira takes the caller as the reporter, and our key is a label of every ticket."""
_MAPPED = "priority"
"""A ticket may have one though its rule says none: the project maps that of the case."""

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
    "gh-sprint": FieldKind.SPRINT,
    "project": FieldKind.PROJECT,
    "rm-teams-custom-field-team": FieldKind.TEAM,
    "atlassian-team": FieldKind.TEAM,
    "vp-origin": FieldKind.REQUEST_TYPE,
    "cmdb-object-cftype": FieldKind.ASSETS,
    # What the words of a schema would take for something else:
    "readonlyfield": FieldKind.RAW,
}
_VENDORS = ("com.atlassian.", "com.pyxis.greenhopper.")
"""Another app may call what it likes a "select"."""
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
    "securitylevel": FieldKind.SECURITY_LEVEL,
    "team": FieldKind.TEAM,
    "sd-customerrequesttype": FieldKind.REQUEST_TYPE,
    "project": FieldKind.PROJECT,
}
_KIND_OF_ITEMS = {
    "cmdb-object-field": FieldKind.ASSETS,
    "option": FieldKind.MULTI_SELECT,
    "component": FieldKind.COMPONENTS,
    "version": FieldKind.VERSIONS,
    "user": FieldKind.USERS,
    "group": FieldKind.GROUPS,
}


def field_specs(fields: Any) -> list[FieldSpec]:
    """The specs of a list of create metadata; entries that name no field are left out."""
    entries = fields.values() if isinstance(fields, Mapping) else fields
    if not isinstance(entries, Iterable) or isinstance(entries, str):
        return []
    return [spec for entry in entries if (spec := _spec(entry)) is not None]


def _spec(entry: Any) -> FieldSpec | None:
    if not isinstance(entry, Mapping):
        return None
    field_id = str(entry.get("fieldId") or entry.get("key") or "")
    if not field_id:
        return None
    schema = entry.get("schema")
    schema = schema if isinstance(schema, Mapping) else {}
    is_only_added_to = _is_only_added_to(entry.get("operations"))
    has_default = bool(entry.get("hasDefaultValue"))
    is_supplied = has_default or field_id in _SUPPLIED
    return FieldSpec(
        id=field_id,
        name=str(entry.get("name") or field_id),
        kind=FieldKind.RAW if is_only_added_to else _kind(field_id, schema),
        is_required=bool(entry.get("required")) and not is_supplied,
        has_default=has_default,
        options=_options(entry.get("allowedValues")),
        has_more_options=bool(entry.get("autoCompleteUrl")),
        is_only_added_to=is_only_added_to,
        custom=str(schema.get("custom") or ""),
    )


def _is_only_added_to(operations: Any) -> bool:
    return isinstance(operations, list) and "add" in operations and "set" not in operations


def _kind(field_id: str, schema: Mapping[str, Any]) -> FieldKind:
    words = {name: str(schema.get(name) or "") for name in ("custom", "system", "type", "items")}
    vendor, _, custom = words["custom"].rpartition(":")
    if custom in _KIND_OF_CUSTOM and vendor.startswith(_VENDORS):
        return _KIND_OF_CUSTOM[custom]
    if not words["custom"]:
        system = words["system"] or field_id
        if system in _KIND_OF_SYSTEM:
            return _KIND_OF_SYSTEM[system]
    if words["type"] == "array":
        return _KIND_OF_ITEMS.get(words["items"], FieldKind.RAW)
    return _KIND_OF_TYPE.get(words["type"], FieldKind.RAW)


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


def missing(specs: Iterable[FieldSpec], fields: Mapping[str, Any]) -> list[FieldSpec]:
    """The fields that Jira requires of a new issue and that have no value here."""
    return [spec for spec in specs if spec.is_required and is_empty(fields.get(spec.id))]


def problems(specs: Sequence[FieldSpec], fields: Mapping[str, Any], *, space: str) -> list[Problem]:
    """What of the fields of a rule Jira would surely refuse now, in the space with this key.

    Of a value whose kind we do not know, only Jira knows.
    """
    if not specs:  # every screen has some: this one could not be read
        return []
    known = {spec.id: spec for spec in specs}
    found = [
        Problem(spec.id, f"Field {spec.name} is now required in {space}.")
        for spec in missing(specs, fields)
        if spec.id != _MAPPED
    ]
    for field_id, value in fields.items():
        spec = known.get(field_id)
        if field_id in OF_EACH_TICKET or is_empty(value):
            continue
        if spec is None:
            found.append(Problem(field_id, f"Field {field_id} can no longer be set in {space}."))
        elif spec.kind.has_options and spec.has_all_options and not _are_offered(spec, value):
            found.append(
                Problem(field_id, f"A value of field {spec.name} no longer exists in {space}.")
            )
    return found


def _are_offered(spec: FieldSpec, value: Any) -> bool:
    if spec.kind in (FieldKind.TEAM, FieldKind.REQUEST_TYPE) and isinstance(value, str):
        return "{{" in value or any(option.id == value for option in spec.options)
    return _are_among(spec.options, value)


def _are_among(options: Sequence[Option], value: Any) -> bool:
    """Whether every option that is named by its id is there. Labels may depend on the finding."""
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, Mapping) or item.get("id") is None:
            continue
        option = find_option(options, item)
        if option is None:
            return False
        if option.children and not _are_among(option.children, item.get("child")):
            return False
    return True
