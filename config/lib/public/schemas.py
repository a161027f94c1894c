"""What the OpenAPI document says of the public API's answers."""

from __future__ import annotations

from typing import Any

from config.lib.jsonapi import MEDIA_TYPE
from config.lib.openapi import errors_of

Schema = dict[str, Any]


def obj(properties: Schema, *, required: list[str] | None = None, description: str = "") -> Schema:
    """An object; all its properties are required unless `required` names those that are."""
    said = {"description": description} if description else {}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        **said,
    }


def listed(item: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": item, **limits}


def enum(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def answers(status: int, answer: Schema | None, *refusals: int) -> dict[Any, Any]:
    """The responses of an operation, for `extend_schema`. Without `answer` there is no body.

    400, 401, 403, 404 (of a path with an id), 413, 415 and 429 are there without saying.
    """
    good: dict[Any, Any] = {status: None} if answer is None else {(status, MEDIA_TYPE): answer}
    return good | {(each, MEDIA_TYPE): errors_of(each) for each in refusals}


UUID: Schema = {"type": "string", "format": "uuid"}
TEXT: Schema = {"type": "string"}
EPOCH_MS: Schema = {"type": "integer", "format": "int64", "description": "Epoch milliseconds."}
PAGE_LINKS: Schema = obj(
    dict.fromkeys(("first", "last", "next", "prev"), TEXT), required=["first", "last"]
)
