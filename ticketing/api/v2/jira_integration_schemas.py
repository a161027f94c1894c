"""What the OpenAPI document says of the Jira integration."""

from __future__ import annotations

from config.lib.public.schemas import TEXT, UUID, Schema, answers, enum, listed, obj

MAX_NAME = 255
MAX_JIRA_ID = 64

_FIELDS: Schema = {
    "type": "object",
    "additionalProperties": True,
    "description": "Jira's field id → its value, as Jira takes it.",
}
_NAME = TEXT | {"minLength": 1, "maxLength": MAX_NAME}
_JIRA_ID = TEXT | {"minLength": 1, "maxLength": MAX_JIRA_ID}
_TEMPLATE_TYPE = enum("jira-issue-template")
_ACCOUNT = obj(
    {
        "id": UUID,
        "type": enum("jira-account"),
        "attributes": obj(
            {
                "consumer_key": TEXT | {"description": "The name of the account."},
                "instance_url": TEXT,
                "last_webhook_timestamp": TEXT | {"format": "date-time"},
            },
            required=["consumer_key", "instance_url"],
        ),
    }
)
_TEMPLATE = obj(
    {
        "id": UUID,
        "type": _TEMPLATE_TYPE,
        "attributes": obj(
            {"name": TEXT, "project_id": TEXT, "issue_type_id": TEXT, "fields": _FIELDS}
        ),
        "relationships": obj({"jira-account": obj({"data": _ACCOUNT})}),
    }
)

ACCOUNTS = answers(200, obj({"data": listed(_ACCOUNT)}))
TEMPLATES = answers(200, obj({"data": listed(_TEMPLATE), "included": listed(_ACCOUNT)}))
_ONE = obj({"data": _TEMPLATE, "included": listed(_ACCOUNT)})
TEMPLATE = answers(200, _ONE)
CREATED = answers(201, _ONE, 409, 422)
DELETED = answers(204, None)
CREATE = obj(
    {
        "data": obj(
            {
                "type": _TEMPLATE_TYPE,
                "attributes": obj(
                    {
                        "name": _NAME,
                        "project_id": _JIRA_ID,
                        "issue_type_id": _JIRA_ID,
                        "jira-account": obj({"id": UUID}),
                        "fields": _FIELDS,
                    },
                    required=["name", "project_id", "issue_type_id", "jira-account"],
                ),
            }
        )
    }
)
UPDATE = obj(
    {
        "data": obj(
            {
                "type": _TEMPLATE_TYPE,
                "attributes": obj({"name": _NAME, "fields": _FIELDS}, required=[]),
            }
        )
    }
)
