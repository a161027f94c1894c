"""`settings.integration_jira` of a project: our destination and Data Sync Settings, in its words.

What the public API has and we do not (other trackers, closing by the clock) reads as off, and
switching it on is refused: nobody shall believe in what does not happen.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from django.db import transaction
from msgspec import Meta, Struct

from config.accounts.models import User
from config.lib.datadog_api.ids import coded_uuid_of
from config.lib.datadog_api.schemas import schema_of
from config.lib.datadog_api.shapes import documented
from config.lib.echo import cut
from config.lib.jsonapi import ApiError
from ticketing import destinations
from ticketing.api.v2.asking import still_there
from ticketing.api.v2.jira import date_fields_at, find_account, place_at
from ticketing.destinations import Place, SyncSettings, destination_of
from ticketing.fields.spec import FieldKind
from ticketing.models import Case, Destination, JiraAccount, Project, SyncMode

POINTER = "/data/attributes/settings"
JIRA = f"{POINTER}/integration_jira"
FIELDS = ("title", "description", "status", "assignee", "priority", "comments", "due_date")
_MAPPED: dict[str, frozenset[str]] = {
    "status": frozenset(Case.Status.values),
    "priority": frozenset(Case.Priority.values) - {"NOT_DEFINED"},
}
_LONGEST_ID = 64
_CUSTOM_FIELD = re.compile(r"customfield_[0-9]{1,18}")
_DUE_DATE = f"{JIRA}/sync/properties/due_date"
T = TypeVar("T")
NOT_BUILT = (
    "auto_close_inactive_cases",
    "integration_incident",
    "integration_monitor",
    "integration_on_call",
    "integration_service_now",
    "notification",
)
Mode = Literal["two_way", "once", "off"]
_MAX_CUSTOM_FIELDS, _MAX_VALUE = 100, 10_000
_VALUE_TYPES = ("string", "number", "object", "array", "boolean")


class _Property(Struct):
    sync_type: Mode | None = None
    mapping: dict[str, str] | None = None
    name_mapping: Annotated[Any, documented(**schema_of(dict[str, str]))] = None  # not read


class _DueDate(Struct):
    sync_type: Mode | None = None
    jira_field_id: Annotated[
        str | None,
        Meta(description="A date or a date and time of the type: the last minute of the day."),
        documented(minLength=1, maxLength=255),
    ] = None


class _CustomField(Struct):
    """A value that each new issue gets. A case has no such field: nothing can come back."""

    sync_type: Annotated[Mode | None, Meta(description="`once` at creation, or `off`.")] = None
    value: Annotated[
        Any,
        Meta(description="As Jira takes it."),
        documented(
            anyOf=[{"type": each} for each in ("string", "number", "object", "array", "boolean")]
        ),
    ] = None


class _Properties(Struct):
    """What `_properties` reads: a field that is not known is refused in its own words."""

    title: _Property | None = None
    description: _Property | None = None
    status: _Property | None = None
    assignee: _Property | None = None
    priority: _Property | None = None
    comments: _Property | None = None
    due_date: _DueDate | None = None
    custom_fields: dict[str, _CustomField] | None = None


class _Off(Struct):
    enabled: bool = False


_NotBuilt = Annotated[
    _Off | None,
    Meta(description="Not built: it can only be off."),
    documented(properties={}),  # older clients send more than `enabled`
]


class _Metadata(Struct, omit_defaults=True):
    account_id: str | None = None
    project_id: str | None = None
    issue_type_id: str | None = None


class _Sync(Struct, omit_defaults=True):
    enabled: bool | None = None
    properties: Annotated[
        dict[str, Any] | None, documented(properties=schema_of(_Properties)["properties"])
    ] = None


class Jira(Struct, omit_defaults=True):
    enabled: bool | None = None
    metadata: _Metadata | None = None
    auto_creation: _Off | None = None
    sync: _Sync | None = None


class Settings(Struct, omit_defaults=True):
    integration_jira: Jira | None = None
    auto_close_inactive_cases: _NotBuilt = None
    auto_transition_assigned_cases: Annotated[
        Any, Meta(description="Not kept."), documented(type="object")
    ] = None
    integration_incident: _NotBuilt = None
    integration_monitor: _NotBuilt = None
    integration_on_call: _NotBuilt = None
    integration_service_now: _NotBuilt = None
    notification: _NotBuilt = None


# --- Read -------------------------------------------------------------------------------


def shown(destination: Destination | None) -> Settings:
    off = dict.fromkeys(NOT_BUILT, _Off())
    return Settings(_jira(destination) if destination else Jira(enabled=False), **off)


def _jira(destination: Destination) -> Jira:
    modes = {name: getattr(destination, f"sync_{name}") for name in FIELDS}
    properties: dict[str, Any] = {name: {"sync_type": mode} for name, mode in modes.items()}
    for name in _MAPPED:
        mapping = getattr(destination, f"{name}_mapping")
        properties[name] |= {"mapping": mapping, "name_mapping": {}}
    properties["due_date"] |= {"jira_field_id": destination.due_date_field}
    properties |= {"custom_fields": destination.custom_fields}
    sent = [each["sync_type"] for each in destination.custom_fields.values()]
    is_synced = any(mode != SyncMode.OFF for mode in (*modes.values(), *sent))
    return Jira(
        enabled=destination.is_enabled,
        metadata=_Metadata(str(destination.account_id), destination.space_id, destination.type_id),
        auto_creation=_Off(),
        sync=_Sync(is_synced, properties),
    )


# --- Write ------------------------------------------------------------------------------


class Wanted(Struct):
    """Settings that were checked, Jira asked: what is left is to store them."""

    jira: Jira
    place: Place | None = None
    account: JiraAccount | None = None
    properties: dict[str, _Property] = {}
    due_date: _DueDate | None = None
    due_date_has_time: bool = False
    custom_fields: dict[str, dict[str, Any]] | None = None


def check(settings: Settings, present: Destination | None) -> Wanted:
    """Raises ApiError for what is not built or not there. May ask Jira: no transaction here."""
    for name in NOT_BUILT:
        said: _Off | None = getattr(settings, name)
        if said and said.enabled:
            detail = f"{name} is not built here; it can only be off."
            raise ApiError(400, detail=detail, pointer=f"{POINTER}/{name}/enabled")
    jira = settings.integration_jira or Jira()
    if jira.auto_creation and jira.auto_creation.enabled:
        detail = "Issues are created by rules, by people and by the API, not for every case."
        raise ApiError(400, detail=detail, pointer=f"{JIRA}/auto_creation/enabled")
    wanted = Wanted(
        jira,
        properties=_properties(jira.sync),
        due_date=_due_date(jira.sync),
        custom_fields=_custom_fields(jira.sync),
    )
    if jira.metadata:
        account_id, space_id, type_id = _ids(jira.metadata, present)
        wanted.account = find_account(coded_uuid_of(account_id, "accountid"))
        wanted.place = place_at(
            wanted.account, space_id=space_id, type_id=type_id, pointer=f"{JIRA}/metadata"
        )
    if wanted.due_date and wanted.due_date.jira_field_id:
        wanted.due_date_has_time = _has_time(wanted, wanted.due_date.jira_field_id, present)
    return wanted


def _has_time(wanted: Wanted, field_id: str, present: Destination | None) -> bool:
    """Of that field in the place that is wanted, or is there. Nothing is there: `store` says it."""
    account = wanted.account or (present.account if present else None)
    place = wanted.place or present
    if account is None or place is None:
        return False
    if present and (present.account_id, present.due_date_field) == (account.pk, field_id):
        return present.due_date_has_time  # a client sends what it read
    offered = date_fields_at(account, space_id=place.space_id, type_id=place.type_id)
    kinds = {spec.id: spec.kind for spec in offered}
    if field_id not in kinds:
        detail = f"{cut(field_id)} is not a date of the ticket type. These are: "
        detail += f"{', '.join(sorted(kinds)) or 'none'}."
        raise ApiError(400, detail=detail, pointer=f"{_DUE_DATE}/jira_field_id")
    return kinds[field_id] is FieldKind.DATETIME


def _ids(said: _Metadata, present: Destination | None) -> tuple[str, str, str]:
    """What is not said is as it is."""
    ids = {
        "account_id": said.account_id or (str(present.account_id) if present else ""),
        "project_id": said.project_id or (present.space_id if present else ""),
        "issue_type_id": said.issue_type_id or (present.type_id if present else ""),
    }
    for name, value in ids.items():
        if not value:
            raise ApiError(400, detail=f"`{name}` is required.", pointer=f"{JIRA}/metadata/{name}")
    return ids["account_id"], ids["project_id"], ids["issue_type_id"]


@transaction.atomic
def store(project: Project, wanted: Wanted, *, actor: User | None) -> None:
    """Raises ApiError 400 for settings of a link that is not there."""
    if wanted.place and wanted.account:
        with still_there():
            destinations.link(project, wanted.account, wanted.place, actor=actor)
    destination = destination_of(project.pk)
    if destination is None:
        if wanted.jira.enabled or wanted.jira.sync:
            detail = "The project is not linked to Jira. Say where: account_id, project_id, "
            raise ApiError(400, detail=f"{detail}issue_type_id.", pointer=f"{JIRA}/metadata")
        return
    if wanted.jira.enabled is not None:
        with still_there():
            destinations.switch(destination, is_enabled=wanted.jira.enabled, actor=actor)
    if wanted.jira.sync:
        _store_sync(destination, wanted, actor=actor)


def _store_sync(destination: Destination, wanted: Wanted, *, actor: User | None) -> None:
    """What is not said stays, also if somebody changes it this moment."""
    destination = Destination.objects.select_for_update().get(pk=destination.pk)
    names = SyncSettings.__dataclass_fields__
    settings = SyncSettings(**{name: getattr(destination, name) for name in names})
    changes: dict[str, Any] = {}
    for name, said in wanted.properties.items():
        if said.sync_type is not None:
            changes[f"sync_{name}"] = said.sync_type
        if said.mapping is not None:
            changes[f"{name}_mapping"] = said.mapping
    changes |= _due_date_changes(wanted)
    if wanted.custom_fields is not None:
        changes["custom_fields"] = wanted.custom_fields
    if wanted.jira.sync and wanted.jira.sync.enabled is False:
        off = SyncMode.OFF.value
        fields = changes.get("custom_fields", settings.custom_fields)
        changes |= {f"sync_{name}": off for name in FIELDS}
        changes["custom_fields"] = {k: {**v, "sync_type": off} for k, v in fields.items()}
    changed = replace(settings, **changes)
    if asdict(changed) != asdict(settings):
        destinations.save_sync(destination, changed, actor=actor)


def _due_date_changes(wanted: Wanted) -> dict[str, Any]:
    said, changes = wanted.due_date or _DueDate(), dict[str, Any]()
    if said.sync_type is not None:
        changes["sync_due_date"] = said.sync_type
    if said.jira_field_id is not None:
        changes["due_date_field"] = said.jira_field_id
        changes["due_date_has_time"] = wanted.due_date_has_time
    return changes


def _due_date(sync: _Sync | None) -> _DueDate | None:
    said = ((sync.properties if sync else None) or {}).get("due_date")
    return _convert(said, _DueDate, pointer=_DUE_DATE) if said is not None else None


def _custom_fields(sync: _Sync | None) -> dict[str, dict[str, Any]] | None:
    """All of them: what is not among them is there no more. None: nothing was said."""
    said = ((sync.properties if sync else None) or {}).get("custom_fields")
    if said is None:
        return None
    pointer = f"{JIRA}/sync/properties/custom_fields"
    fields = _convert(said, dict[str, _CustomField], pointer=pointer)
    if len(fields) > _MAX_CUSTOM_FIELDS:
        detail = f"A project has at most {_MAX_CUSTOM_FIELDS} custom fields."
        raise ApiError(400, detail=detail, pointer=pointer)
    return {name: _custom_field(name, each) for name, each in fields.items()}


def _custom_field(name: str, said: _CustomField) -> dict[str, Any]:
    pointer = f"{JIRA}/sync/properties/custom_fields/{cut(name)}"
    mode = said.sync_type or SyncMode.OFF.value
    if mode != SyncMode.OFF and (problem := _why_not_sent(name, mode, said.value)):
        raise ApiError(400, detail=problem, pointer=pointer)
    return {"sync_type": mode} | ({} if said.value is None else {"value": said.value})


def _why_not_sent(name: str, mode: str, value: Any) -> str:
    if not _CUSTOM_FIELD.fullmatch(name):
        return "A custom field goes by its id in Jira, like customfield_10020."
    if mode == SyncMode.TWO_WAY:
        return "A case has no field for it, so nothing can come back: sync_type is once or off."
    if value is None:
        return "`value` is required: each new issue has it in this field."
    if len(json.dumps(value)) > _MAX_VALUE:
        return f"`value` is longer than {_MAX_VALUE:,} characters."
    return ""


def _properties(sync: _Sync | None) -> dict[str, _Property]:
    said = (sync.properties if sync else None) or {}
    return {name: _property(name, value) for name, value in said.items() if _is_kept(name)}


def _is_kept(name: str) -> bool:
    """A field with a mode and perhaps a mapping; the others have their own words."""
    if name in ("due_date", "custom_fields"):
        return False
    if name in FIELDS:
        return True
    detail = f"{cut(name)} is not synced; these are: {', '.join(FIELDS)}."
    raise ApiError(400, detail=detail, pointer=f"{JIRA}/sync/properties/{cut(name)}")


def _property(name: str, value: Any) -> _Property:
    pointer = f"{JIRA}/sync/properties/{name}"
    said = _convert(value, _Property, pointer=pointer)
    for ours, theirs in (said.mapping or {}).items():
        if ours not in _MAPPED.get(name, ()) or not 1 <= len(theirs) <= _LONGEST_ID:
            known = ", ".join(sorted(_MAPPED.get(name, ()))) or "nothing"
            detail = f"A mapping leads from {known} to the id of what stands for it in Jira."
            raise ApiError(400, detail=detail, pointer=f"{pointer}/mapping")
    return said


def _convert(value: Any, type_: type[T], *, pointer: str) -> T:
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as fault:
        raise ApiError(400, detail=f"{fault}.", pointer=pointer) from None
