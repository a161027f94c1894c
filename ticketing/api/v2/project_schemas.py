"""What the OpenAPI document says of projects, types and views of cases."""

from __future__ import annotations

from config.lib.public.schemas import TEXT, UUID, Schema, enum, listed, obj
from ticketing.api.v2.case_schemas import maybe, said
from ticketing.api.v2.project_settings import FIELDS, NOT_BUILT
from ticketing.api.v2.schemas import MOMENT, optional, to_one
from ticketing.models import SyncMode

_NOT_KEPT: Schema = {"type": "string", "description": "Not kept."}
_FLAG: Schema = {"type": "boolean"}
_ONLY_OFF: Schema = {"type": "object", "description": "Not built: it can only be off."}
_IGNORED: Schema = {"type": "object", "description": "Not kept."}
_SWITCH = optional({"enabled": _FLAG})
_MAPPING: Schema = {"type": "object", "additionalProperties": TEXT}
_PROPERTY = optional(
    {"sync_type": enum(*SyncMode.values), "mapping": _MAPPING, "name_mapping": _MAPPING}
)
_JIRA = optional(
    {
        "enabled": _FLAG,
        "metadata": optional(dict.fromkeys(("account_id", "project_id", "issue_type_id"), TEXT)),
        "auto_creation": _SWITCH,
        "sync": optional(
            {
                "enabled": _FLAG,
                "properties": optional(
                    dict.fromkeys(FIELDS, _PROPERTY)
                    | {"due_date": _ONLY_OFF, "custom_fields": _ONLY_OFF}
                ),
            }
        ),
    }
)
_SETTINGS = optional(
    {"integration_jira": _JIRA, "auto_transition_assigned_cases": _IGNORED}
    | dict.fromkeys(NOT_BUILT, _ONLY_OFF)
)
_PROJECT = obj(
    {
        "id": UUID,
        "type": enum("project"),
        "attributes": obj(
            {
                "key": TEXT,
                "name": TEXT,
                "restricted": _FLAG,
                "enabled_custom_case_types": listed(TEXT),
                "settings": _SETTINGS,
            }
        ),
    }
)
ONE_PROJECT = obj({"data": _PROJECT})
PROJECTS = obj({"data": listed(_PROJECT)})
NEW_PROJECT = said(
    obj(
        {
            "key": {"type": "string", "pattern": "^[A-Z][A-Z0-9]{0,9}$"},
            "name": {"type": "string", "minLength": 1, "maxLength": 100},
            "team_uuid": _NOT_KEPT,
            "enabled_custom_case_types": listed(_NOT_KEPT),
        },
        required=["key", "name"],
    ),
    "project",
)
PROJECT_CHANGES = obj(
    {
        "data": obj(
            {
                "type": enum("project"),
                "attributes": optional(
                    {
                        "name": {"type": "string", "minLength": 1, "maxLength": 100},
                        "settings": _SETTINGS,
                        "columns_config": _IGNORED,
                        "team_uuid": _NOT_KEPT,
                        "enabled_custom_case_types": listed(_NOT_KEPT),
                    }
                ),
            },
            required=["type"],
        )
    }
)
_TYPE = obj(
    {
        "id": UUID,
        "type": enum("case_type"),
        "attributes": obj({"name": TEXT, "description": TEXT, "deleted_at": maybe(MOMENT)}),
    }
)
TYPES = obj({"data": listed(_TYPE)})
CUSTOM_ATTRIBUTES = obj({"data": listed({"type": "object"})})
_VIEW = obj(
    {
        "id": UUID,
        "type": enum("view"),
        "attributes": obj({"name": TEXT, "query": TEXT, "created_at": MOMENT}),
        "relationships": obj({"project": to_one("project")}),
    }
)
VIEWS = obj({"data": listed(_VIEW)})
ONE_VIEW = obj({"data": _VIEW})
