"""`settings.integration_jira` of a project: our destination and Data Sync Settings, in its words.

What the public API has and we do not (other trackers, closing by the clock) reads as off, and
switching it on is refused: nobody shall believe in what does not happen.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Literal

import msgspec
from django.db import transaction

from config.accounts.models import User
from config.lib.jsonapi import ApiError
from ticketing import destinations
from ticketing.api.v2.jira import find_account, place_at
from ticketing.destinations import Place, SyncSettings, destination_of
from ticketing.models import Case, Destination, JiraAccount, Project, SyncMode

POINTER = "/data/attributes/settings"
JIRA = f"{POINTER}/integration_jira"
FIELDS = ("title", "description", "status", "assignee", "priority", "comments")
_MAPPED: dict[str, frozenset[str]] = {
    "status": frozenset(Case.Status.values),
    "priority": frozenset(Case.Priority.values) - {"NOT_DEFINED"},
}
_LONGEST_ID = 64
NOT_BUILT = (
    "auto_close_inactive_cases",
    "integration_incident",
    "integration_monitor",
    "integration_on_call",
    "integration_service_now",
    "notification",
)
Mode = Literal["two_way", "once", "off"]


class _Property(msgspec.Struct):
    sync_type: Mode | None = None
    mapping: dict[str, str] | None = None


class _Off(msgspec.Struct):
    enabled: bool = False


class _Metadata(msgspec.Struct):
    account_id: str | None = None
    project_id: str | None = None
    issue_type_id: str | None = None


class _Sync(msgspec.Struct):
    enabled: bool | None = None
    properties: dict[str, Any] | None = None


class Jira(msgspec.Struct):
    enabled: bool | None = None
    metadata: _Metadata | None = None
    auto_creation: _Off | None = None
    sync: _Sync | None = None


class Settings(msgspec.Struct):
    integration_jira: Jira | None = None
    auto_close_inactive_cases: _Off | None = None
    integration_incident: _Off | None = None
    integration_monitor: _Off | None = None
    integration_on_call: _Off | None = None
    integration_service_now: _Off | None = None
    notification: _Off | None = None


# --- Read -------------------------------------------------------------------------------


def shown(destination: Destination | None) -> dict[str, Any]:
    off: dict[str, Any] = {name: {"enabled": False} for name in NOT_BUILT}
    return off | {"integration_jira": _jira(destination) if destination else {"enabled": False}}


def _jira(destination: Destination) -> dict[str, Any]:
    modes = {name: getattr(destination, f"sync_{name}") for name in FIELDS}
    properties: dict[str, Any] = {name: {"sync_type": mode} for name, mode in modes.items()}
    for name in _MAPPED:
        mapping = getattr(destination, f"{name}_mapping")
        properties[name] |= {"mapping": mapping, "name_mapping": {}}
    properties |= {"due_date": {"sync_type": SyncMode.OFF.value}, "custom_fields": {}}
    return {
        "enabled": destination.is_enabled,
        "metadata": {
            "account_id": str(destination.account_id),
            "project_id": destination.space_id,
            "issue_type_id": destination.type_id,
        },
        "auto_creation": {"enabled": False},
        "sync": {
            "enabled": any(mode != SyncMode.OFF for mode in modes.values()),
            "properties": properties,
        },
    }


# --- Write ------------------------------------------------------------------------------


class Wanted(msgspec.Struct):
    """Settings that were checked, Jira asked: what is left is to store them."""

    jira: Jira
    place: Place | None = None
    account: JiraAccount | None = None
    properties: dict[str, _Property] = {}


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
    wanted = Wanted(jira, properties=_properties(jira.sync))
    if jira.metadata:
        account_id, space_id, type_id = _ids(jira.metadata, present)
        wanted.account = find_account(account_id)
        wanted.place = place_at(
            wanted.account, space_id=space_id, type_id=type_id, pointer=f"{JIRA}/metadata"
        )
    return wanted


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
        destinations.link(project, wanted.account, wanted.place, actor=actor)
    destination = destination_of(project.pk)
    if destination is None:
        if wanted.jira.enabled or wanted.jira.sync:
            detail = "The project is not linked to Jira. Say where: account_id, project_id, "
            raise ApiError(400, detail=f"{detail}issue_type_id.", pointer=f"{JIRA}/metadata")
        return
    if wanted.jira.enabled is not None:
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
    if wanted.jira.sync and wanted.jira.sync.enabled is False:
        changes |= {f"sync_{name}": SyncMode.OFF.value for name in FIELDS}
    changed = replace(settings, **changes)
    if asdict(changed) != asdict(settings):
        destinations.save_sync(destination, changed, actor=actor)


def _properties(sync: _Sync | None) -> dict[str, _Property]:
    said = (sync.properties if sync else None) or {}
    return {name: _property(name, value) for name, value in said.items() if _is_kept(name, value)}


def _is_kept(name: str, value: Any) -> bool:
    """Known, and not a field that is never synced: those can only be off, or empty."""
    if name in FIELDS:
        return True
    is_off = not value or (isinstance(value, dict) and value.get("sync_type") in (None, "off"))
    if name in ("due_date", "custom_fields") and is_off:
        return False
    detail = f"{name[:100]} is not synced; these are: {', '.join(FIELDS)}."
    raise ApiError(400, detail=detail, pointer=f"{JIRA}/sync/properties/{name[:100]}")


def _property(name: str, value: Any) -> _Property:
    pointer = f"{JIRA}/sync/properties/{name}"
    try:
        said = msgspec.convert(value, _Property)
    except msgspec.ValidationError as fault:
        raise ApiError(400, detail=f"{fault}.", pointer=pointer) from None
    for ours, theirs in (said.mapping or {}).items():
        if ours not in _MAPPED.get(name, ()) or not 1 <= len(theirs) <= _LONGEST_ID:
            known = ", ".join(sorted(_MAPPED.get(name, ()))) or "nothing"
            detail = f"A mapping leads from {known} to the id of what stands for it in Jira."
            raise ApiError(400, detail=detail, pointer=f"{pointer}/mapping")
    return said
