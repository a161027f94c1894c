"""What the OpenAPI document says of case management. `case_asking` does the checking."""

from __future__ import annotations

from typing import Any, Literal

from config.lib.jsonapi import MEDIA_TYPE
from config.lib.public.schemas import TEXT, UUID, Schema, answers, enum, listed, obj
from ticketing.api.v2.asking import MAX_DESCRIPTION, MAX_TITLE
from ticketing.api.v2.schemas import (
    ATTRIBUTES_MAP,
    COMMON,
    JIRA_ISSUE,
    MOMENT,
    PRIORITY,
    STATUS,
    optional,
    ref,
    to_one,
)
from ticketing.details import MAX_REASON
from ticketing.forms.cases import MAX_COMMENT

Status = Literal["OPEN", "IN_PROGRESS", "CLOSED"]
_CODED: Schema = {"$ref": "#/components/schemas/CodedErrors"}
DATE: Schema = {"type": "string", "format": "date"}
COUNT: Schema = {"type": "integer", "minimum": 0}


def maybe(schema: Schema) -> Schema:
    return schema | {"nullable": True}


def coded(status: int, answer: Schema | None, *refusals: int) -> dict[Any, Any]:
    """The responses of an operation, where 404 is said in a code."""
    return answers(status, answer, *refusals) | {(404, MEDIA_TYPE): _CODED}


def text(most: int, description: str = "") -> Schema:
    return {"type": "string", "maxLength": most, "description": description}


_TO_NOBODY = obj({"data": maybe(ref("user"))})
_CASE = obj(
    {
        "id": UUID,
        "type": enum("case"),
        "attributes": obj(
            COMMON
            | {
                "type": enum("STANDARD"),
                "archived_at": maybe(MOMENT),
                "attributes": ATTRIBUTES_MAP,
                "closed_at": maybe(MOMENT),
                "comment_count": COUNT,
                "custom_attributes": {"type": "object"},
                "due_date": DATE,
                "internal_id": TEXT,
                "jira_issue": JIRA_ISSUE,
                "merge_status": TEXT,
                "modified_at": maybe(MOMENT),
                "public_id": TEXT,
                "security_resolved_reason": TEXT,
                "type_id": TEXT,
            },
            required=[*COMMON, "attributes", "comment_count", "type_id"],
        ),
        "relationships": obj(
            {
                "assignee": _TO_NOBODY,
                "created_by": _TO_NOBODY,
                "modified_by": _TO_NOBODY,
                "project": to_one("project"),
            }
        ),
    }
)
_USER = obj(
    {
        "id": UUID,
        "type": enum("user"),
        "attributes": obj(
            {"active": {"type": "boolean"}} | dict.fromkeys(("email", "handle", "name"), TEXT)
        ),
    }
)
PAGE = obj(dict.fromkeys(("current", "size", "total"), COUNT))
ONE_CASE = obj({"data": _CASE, "included": listed(_USER)})
CASES = obj({"data": listed(_CASE), "included": listed(_USER), "meta": obj({"page": PAGE})})
NEW_CASE = obj(
    {
        "data": obj(
            {
                "type": enum("case"),
                "attributes": obj(
                    {
                        "title": {"minLength": 1} | text(MAX_TITLE),
                        "type_id": TEXT,
                        "description": text(MAX_DESCRIPTION, "Markdown."),
                        "priority": PRIORITY,
                        "custom_attributes": {"type": "object", "description": "None exist."},
                        "status_name": enum("Open", "In Progress", "Closed"),
                    },
                    required=["title", "type_id"],
                ),
                "relationships": obj(
                    {"project": to_one("project"), "assignee": _TO_NOBODY}, required=["project"]
                ),
            }
        )
    }
)


def said(attributes: Schema, type_: str = "case") -> Schema:
    """A request about one thing of a case."""
    return obj({"data": obj({"type": enum(type_), "attributes": attributes})})


STATUS_SAID = said(optional({"status": STATUS, "status_name": TEXT}))
PRIORITY_SAID = said(obj({"priority": PRIORITY}))
ASSIGNEE_SAID = said(obj({"assignee_id": UUID}))
TITLE_SAID = said(obj({"title": {"minLength": 1} | text(MAX_TITLE)}))
DESCRIPTION_SAID = said(obj({"description": text(MAX_DESCRIPTION, "Markdown.")}))
DUE_DATE_SAID = said(obj({"due_date": DATE}))
ATTRIBUTES_SAID = said(obj({"attributes": ATTRIBUTES_MAP}))
REASON_SAID = said(obj({"security_resolved_reason": {"minLength": 1} | text(MAX_REASON)}))
COMMENT_SAID = said(obj({"comment": {"minLength": 1} | text(MAX_COMMENT, "Markdown.")}))
NOTHING_SAID = obj({"data": obj({"type": enum("case")})})

_CELL: dict[str, Any] = obj(
    {
        "id": TEXT,
        "type": enum("timeline_cell"),
        "attributes": obj(
            {
                "type": enum("COMMENT"),
                "author": obj(
                    {
                        "type": enum("USER"),
                        "content": optional(dict.fromkeys(("id", "name", "email", "handle"), TEXT)),
                    }
                ),
                "cell_content": obj({"message": TEXT}),
                "created_at": MOMENT,
                "modified_at": MOMENT,
                "deleted_at": MOMENT,
            },
            required=["type", "author", "cell_content", "created_at"],
        ),
    }
)
CELLS = obj({"data": listed(_CELL)})
CELLS_PAGE = obj({"data": listed(_CELL), "meta": obj({"page": PAGE})})
AGGREGATE = said(
    obj(
        {
            "query_filter": TEXT,
            "group_by": obj({"groups": listed(TEXT), "limit": {"type": "integer"}}),
        }
    ),
    "aggregate",
)
_COUNTED = obj({"group": TEXT, "value": listed({"type": "number"})})
AGGREGATES = obj(
    {
        "data": obj(
            {
                "id": UUID,
                "type": TEXT,
                "attributes": obj({"groups": listed(_COUNTED), "total": {"type": "number"}}),
            }
        )
    }
)
_GROUP = obj({"group": TEXT, "group_values": listed(obj({"value": TEXT, "count": COUNT}))})
COUNTS = obj(
    {"data": obj({"id": UUID, "type": TEXT, "attributes": obj({"groups": listed(_GROUP)})})}
)
NEW_ISSUE = said(
    obj(
        {
            "jira_account_id": UUID,
            "project_id": TEXT,
            "issue_type_id": TEXT,
            "fields": {"type": "object", "description": "Fields of the issue, as Jira knows them."},
        },
        required=["jira_account_id", "project_id", "issue_type_id"],
    ),
    "issues",
)
ISSUE_ADDRESS = said(obj({"jira_issue_url": TEXT}), "issues")
TO_PROJECT = to_one("project")
