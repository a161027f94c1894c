"""The errors that every operation may answer with, written into the OpenAPI document."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from config.lib.jsonapi import MEDIA_TYPE

_ERROR = {
    "type": "object",
    "required": ["status", "title"],
    "properties": {
        "id": {"type": "string", "description": "The request's id, of an unexpected error."},
        "status": {"type": "string"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "source": {
            "type": "object",
            "properties": {
                "pointer": {"type": "string"},
                "parameter": {"type": "string"},
                "header": {"type": "string"},
            },
        },
    },
}
_ERRORS = {
    "type": "object",
    "required": ["errors"],
    "properties": {"errors": {"type": "array", "items": {"$ref": "#/components/schemas/Error"}}},
}
_WRITES = ("post", "put", "patch")


def document_errors(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """A hook of the schema generator; what a view documents itself is left alone."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(
        {"Error": _ERROR, "Errors": _ERRORS}
    )
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for status in _possible(path, method):
                operation["responses"].setdefault(str(status.value), _response(status))
    return result


def _possible(path: str, method: str) -> list[HTTPStatus]:
    possible = [
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
    ]
    if "{" in path:
        possible.append(HTTPStatus.NOT_FOUND)
    if method in _WRITES:
        possible.append(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    return possible


def _response(status: HTTPStatus) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Errors"}
    return {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
