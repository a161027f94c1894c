"""What the OpenAPI document says of findings' cases and issues. `asking` does the checking."""

from __future__ import annotations

from config.lib.public.schemas import TEXT, UUID, Schema, enum, listed, obj
from config.lib.request_body import JSON
from ticketing.api.v2.asking import MAX_DESCRIPTION, MAX_TITLE
from ticketing.asked import MAX_CASES
from ticketing.models import Case
from ticketing.services import MAX_FINDINGS

MOMENT: Schema = {"type": "string", "format": "date-time"}
PRIORITY = enum(*Case.Priority.values)
STATUS = enum(*Case.Status.values)
STATUS_GROUP = enum(*(f"SG_{status}" for status in Case.Status.values))


def optional(properties: Schema) -> Schema:
    """An object that may leave out everything."""
    return {"type": "object", "properties": properties}


def ref(type_: str, id_: Schema = TEXT) -> Schema:
    return obj({"id": id_, "type": enum(type_)})


def to_one(type_: str) -> Schema:
    return obj({"data": ref(type_)})


_FINDINGS = optional({"data": listed(ref("findings"), maxItems=MAX_FINDINGS)})
_WORDS: Schema = {
    "title": {"type": "string", "maxLength": MAX_TITLE},
    "description": {"type": "string", "maxLength": MAX_DESCRIPTION, "description": "Markdown."},
    "priority": PRIORITY,
    "assignee_id": UUID,
}
_FIELDS: Schema = {
    "type": "object",
    "description": "Fields of the issue by id, as Jira knows them; `{{…}}` is filled from the "
    "finding.",
}
_OF_NEW = obj({"findings": _FINDINGS, "project": to_one("projects")})


def _new(type_: str, words: Schema) -> Schema:
    item = obj(
        {"type": enum(type_), "attributes": optional(words), "relationships": _OF_NEW},
        required=["type", "relationships"],
    )
    return obj({"data": listed(item, minItems=1, maxItems=MAX_CASES)})


NEW_CASES = _new("cases", _WORDS)
NEW_ISSUES = _new("jira_issues", _WORDS | {"fields": _FIELDS})
DETACH = obj(
    {
        "data": obj(
            {"id": TEXT, "type": enum("cases"), "relationships": obj({"findings": _FINDINGS})},
            required=["type", "relationships"],
        )
    }
)
ATTACH = obj(
    {
        "data": obj(
            {
                "id": TEXT,
                "type": enum("cases"),
                "relationships": obj({"findings": _FINDINGS}),
            }
        )
    }
)
ATTACH_ISSUE = obj(
    {
        "data": obj(
            {
                "type": enum("jira_issues"),
                "attributes": obj({"jira_issue_url": TEXT}),
                "relationships": _OF_NEW,
            }
        )
    }
)
INSIGHT = obj({"type": enum("SECURITY_FINDING"), "ref": TEXT, "resource_id": TEXT})
JIRA_ISSUE = obj(
    {
        "status": enum("IN_PROGRESS", "COMPLETED", "FAILED"),
        "error_message": TEXT,
        "result": obj(
            dict.fromkeys(("account_id", "issue_id", "issue_key", "issue_url", "project_key"), TEXT)
        ),
    },
    required=["status"],
)
ATTRIBUTES_MAP: Schema = {"type": "object", "additionalProperties": listed(TEXT)}
COMMON: Schema = {
    "created_at": MOMENT,
    "creation_source": TEXT,
    "description": TEXT,
    "insights": listed(INSIGHT),
    "key": TEXT,
    "priority": PRIORITY,
    "status": STATUS,
    "status_group": STATUS_GROUP,
    "status_name": TEXT,
    "title": TEXT,
    "type": TEXT,
}
_FINDING_CASE = obj(
    {
        "id": UUID,
        "type": enum("cases"),
        "attributes": obj(
            COMMON
            | {
                "jira_issue": JIRA_ISSUE,
                "archived_at": MOMENT,
                "closed_at": MOMENT,
                "modified_at": MOMENT,
                "due_date": {"type": "string", "format": "date"},
                "assigned_to": to_one("users"),
                "attributes": ATTRIBUTES_MAP,
            },
            required=list(COMMON),
        ),
        "relationships": obj(
            {
                "created_by": to_one("users"),
                "modified_by": to_one("users"),
                "project": to_one("projects"),
            },
            required=["project"],
        ),
    }
)


def document_detaching(result: Schema, **_: object) -> Schema:
    """A hook of the schema generator, which knows of no DELETE that has a body."""
    operation = result["paths"]["/api/v2/security/findings/cases"]["delete"]
    operation["requestBody"] = {"content": {JSON: {"schema": DETACH}}, "required": True}
    return result


FINDING_CASES = obj({"data": listed(_FINDING_CASE)})
ONE_FINDING_CASE = obj({"data": _FINDING_CASE})
