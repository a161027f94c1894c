"""What the OpenAPI document says of rules. `requests` and the services do the checking."""

from __future__ import annotations

from automation.api.requests import TYPE
from automation.models import Rule
from automation.rule_data import MAX_LIMIT, MAX_NAME, MAX_QUERY
from config.lib.public.schemas import EPOCH_MS, PAGE_LINKS, TEXT, UUID, Schema, enum, listed, obj
from findings.facts import FindingType

_TYPE = enum(TYPE)
_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
_SCOPE = obj(
    {
        "finding_types": listed(enum(*(choice.value for choice in FindingType)), minItems=1),
        "query": {
            "type": "string",
            "maxLength": MAX_QUERY,
            "description": "Without `@workflow.*` and `@status`, which change after the decision.",
        },
    },
    required=["finding_types"],
)
_ACTION = {
    "target": enum(*Rule.Target.values),
    "project_id": UUID | {"description": "The Case Management project, also of Jira tickets."},
    "max_tickets_per_day": {
        "type": "integer",
        "format": "int64",
        "minimum": 1,
        "maximum": MAX_LIMIT,
    },
    "assignee_id": UUID,
    "fields": {"type": "object", "description": "Fields of the issue, as Jira knows them."},
}
_REQUIRED = ["target", "project_id", "max_tickets_per_day"]
_REASON: Schema = {
    "type": "string",
    "readOnly": True,
    "description": "Why the system disabled the rule; there only when it did.",
}
_WHO = obj({"type": enum("user", "system"), "id": TEXT, "name": TEXT})
_SAID = obj(
    {
        "name": _NAME,
        "enabled": {"type": "boolean", "default": True},
        "rule": _SCOPE,
        "action": obj(_ACTION, required=_REQUIRED),
    },
    required=["name", "rule", "action"],
)
_SHOWN = obj(
    {
        "name": _NAME,
        "enabled": {"type": "boolean"},
        "rule": _SCOPE,
        "action": obj(_ACTION | {"auto_disabled_reason": _REASON}, required=_REQUIRED),
        "created_at": EPOCH_MS,
        "created_by": _WHO,
        "modified_at": EPOCH_MS,
        "modified_by": _WHO,
    }
)
_RULE = obj({"id": UUID, "type": _TYPE, "attributes": _SHOWN})

CREATE = obj({"data": obj({"type": _TYPE, "attributes": _SAID})})
UPDATE = obj(
    {
        "data": obj(
            {
                "id": UUID | {"description": "If sent, the id in the path."},
                "type": _TYPE,
                "attributes": _SAID,
            },
            required=["type", "attributes"],
        )
    }
)
ORDER = obj({"data": listed(obj({"id": UUID, "type": _TYPE}))})
ONE = obj({"data": _RULE})
LIST = obj(
    {
        "data": listed(_RULE),
        "links": PAGE_LINKS,
        "meta": obj({"page": obj({"total_filtered_count": {"type": "integer", "minimum": 0}})}),
    }
)
