"""What the OpenAPI document says of the public API, made of the types that do the checking."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from drf_spectacular.utils import OpenApiParameter

from config.lib.datadog_api.paging import NUMBER, SIZE
from config.lib.datadog_api.shapes import (
    Document,
    NewResource,
    Page,
    Replaced,
    ResourceId,
    Shown,
    only,
)
from config.lib.jsonapi import IN_WORDS, MEDIA_TYPE

Schema = dict[str, Any]
_NOTHING: tuple[Any, ...] = (None, "", [], {})
"""Defaults that say no more than that a member may be left out."""
_NOT_OPENAPI = {"$ref", "title", "anyOf", "discriminator", "default"}
"""Words of JSON Schema that are written in another way."""


def schema_of(shape: Any) -> Schema:
    """A msgspec type as OpenAPI 3.0 writes it, each struct written out where it is used.

    A member with a default may be left out. Null is said to be a value of `int | None` and of
    `int | UnsetType | None = UNSET`, and not of `int | None = None`.
    """
    [found], structs = msgspec.json.schema_components([shape], ref_template="{name}")
    return _plain(found, structs)


def one(attributes: Any, *, type_: str) -> Schema:
    """An answer: `{"data": {"id": …, "type": type_, "attributes": …}}`."""
    return schema_of(_typed(Document, Shown, type_, attributes))


def many(attributes: Any, *, type_: str) -> Schema:
    """An answer: a page of resources, with its links and how many there are in all."""
    return schema_of(_typed(Page, Shown, type_, attributes))


def create(attributes: Any, *, type_: str) -> Schema:
    """A request: `{"data": {"type": type_, "attributes": …}}`."""
    return schema_of(_typed(Document, NewResource, type_, attributes))


def update(attributes: Any, *, type_: str) -> Schema:
    """A request: the same, which may name the id that is in its path."""
    return schema_of(_typed(Document, Replaced, type_, attributes))


def order(type_: str) -> Schema:
    """A request and its answer: every resource once, in their new order."""
    named: Any = Annotated[str, only(type_)]
    return schema_of(Document[list[ResourceId[named]]])


def _typed(envelope: Any, resource: Any, type_: str, attributes: Any) -> Any:
    return envelope[resource[Annotated[str, only(type_)], attributes]]


def _plain(node: Schema, structs: dict[str, Schema]) -> Schema:
    node = structs.get(node.get("$ref", ""), {}) | node
    said = {name: value for name, value in node.items() if name not in _NOT_OPENAPI}
    if said.get("required") == []:
        del said["required"]  # which may not be empty
    for name in ("items", "additionalProperties"):
        if isinstance(inner := said.get(name), dict):
            said[name] = _plain(inner, structs)
    if members := said.get("properties"):
        said["properties"] = {
            name: _plain(each, structs)
            for name, each in members.items()
            if each.get("type") != "null"  # it may only be absent
        }
    if "enum" in said:
        said.setdefault("type", "string")
    default = node.get("default", ...)
    if default is not ... and default not in _NOTHING:
        said["default"] = default
    if "anyOf" not in node:
        return said
    options = [_plain(each, structs) for each in node["anyOf"] if each.get("type") != "null"]
    if len(options) < len(node["anyOf"]) and default is not None:
        said["nullable"] = True
    either = "oneOf" if "discriminator" in node else "anyOf"
    return options[0] | said if len(options) == 1 else {either: options} | said


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


def errors_of(status: int) -> dict[str, str]:
    """The errors that the public API answers with this status."""
    if status in IN_WORDS:
        return _component("Sentences")
    return _component("CodedErrors" if status == HTTPStatus.BAD_REQUEST else "Errors")


def _component(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


OUR_ERRORS = _component("Errors")
"""The errors of what is not public API."""


def answers(status: int, answer: Schema | None, *refusals: int) -> dict[Any, Any]:
    """The responses of an operation, for `extend_schema`. Without `answer` there is no body.

    400, 401, 403, 404 (of a path with an id), 413, 415 and 429 are there without saying.
    """
    good: dict[Any, Any] = {status: None} if answer is None else {(status, MEDIA_TYPE): answer}
    return good | {(each, MEDIA_TYPE): errors_of(each) for each in refusals}


def coded(status: int, answer: Schema | None, *refusals: int) -> dict[Any, Any]:
    """The same of case management, which says 404 in a code."""
    not_there = {(404, MEDIA_TYPE): _component("CodedErrors")}
    return answers(status, answer, *refusals) | not_there


def our_answers(status: int, answer: Schema, *refusals: int) -> dict[Any, Any]:
    """The same of operations that are not public API."""
    refused = {(each, MEDIA_TYPE): OUR_ERRORS for each in refusals}
    return {(status, MEDIA_TYPE): answer} | refused


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
