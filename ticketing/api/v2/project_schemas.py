"""What the OpenAPI document says of projects, types and views of cases."""

from __future__ import annotations

from config.lib.public.schemas import TEXT, UUID, Schema, enum, listed, obj
from ticketing.api.v2.case_schemas import maybe, said
from ticketing.api.v2.project_settings import FIELDS
from ticketing.api.v2.schemas import MOMENT, optional, to_one
from ticketing.models import SyncMode

_FLAG: Schema = {"type": "boolean"}
_SWITCH = optional({"enabled": _FLAG})
_MAPPING: Schema = {"type": "object", "additionalProperties": TEXT}
_PROPERTY = optional(
    {"sync_type": enum(*SyncMode.values), "mapping": _MAPPING, "name_mapping": _MAPPING}
)
_JIRA = optional(
    {
        "enabled": _FLAG,
        "metadata": obj(dict.fromkeys(("account_id", "project_id", "issue_type_id"), TEXT)),
        "auto_creation": _SWITCH,
        "sync": optional(
            {
                "enabled": _FLAG,
                "properties": optional(
                    dict.fromkeys((*FIELDS, "due_date"), _PROPERTY)
                    | {"custom_fields": {"type": "object"}}
                ),
            }
        ),
    }
)
_SETTINGS: Schema = optional({"integration_jira": _JIRA}) | {"additionalProperties": _SWITCH}
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
        }
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
