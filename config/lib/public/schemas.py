"""What the OpenAPI document says of the public API's answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from config.lib.jsonapi import MEDIA_TYPE
from config.lib.openapi import errors_of
from config.lib.public.paging import NUMBER, SIZE

Schema = dict[str, Any]


def obj(properties: Schema, *, required: list[str] | None = None, description: str = "") -> Schema:
    """An object; all its properties are required unless `required` names those that are."""
    said: Schema = {"description": description} if description else {}
    if needed := list(properties) if required is None else required:
        said["required"] = needed  # which may not be empty
    return {"type": "object", "properties": properties, **said}


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


def page_parameters(*, default: int, most: int) -> list[OpenApiParameter]:
    """`page[size]` and `page[number]`, as `paging.read_page` reads them."""
    size = {"type": "integer", "minimum": 1, "maximum": most, "default": default}
    number = {"type": "integer", "minimum": 0, "default": 0}
    return [OpenApiParameter(SIZE, size), OpenApiParameter(NUMBER, number)]


UUID: Schema = {"type": "string", "format": "uuid"}
TEXT: Schema = {"type": "string"}
EPOCH_MS: Schema = {"type": "integer", "format": "int64", "description": "Epoch milliseconds."}
PAGE_LINKS: Schema = obj(
    dict.fromkeys(("first", "last", "next", "prev"), TEXT), required=["first", "last"]
)
