"""What documents are made of: msgspec types that requests are read as and answers are built of.

The OpenAPI document says of an operation what these types say, see `schemas.schema_of`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

Type = TypeVar("Type")
Attributes = TypeVar("Attributes")
Relationships = TypeVar("Relationships")
Data = TypeVar("Data")


def documented(**words: Any) -> Meta:
    """What the OpenAPI document says of a value and msgspec does not check: the view does, and
    refuses in its own words."""
    return Meta(extra_json_schema=words)


def only(*values: str) -> Meta:
    """One of these texts; `documents.check_type` refuses another type of a resource."""
    return documented(enum=list(values))


def of(shape: Any, *types: Any) -> Any:
    """A generic shape of types that are found only at run time."""
    return shape[types]


Moment = Annotated[datetime, Meta(tz=True)]
EpochMs = Annotated[int, Meta(description="Epoch milliseconds."), documented(format="int64")]
Count = Annotated[int, documented(minimum=0)]


class Document(Struct, Generic[Data]):
    data: Data


class Ref(Struct, Generic[Type]):
    id: str
    type: Type


class ToOne(Struct, Generic[Type]):
    data: Ref[Type]


class ToOneOrNone(Struct, Generic[Type]):
    data: Ref[Type] | None


class NewResource(Struct, Generic[Type, Attributes]):
    type: Type
    attributes: Attributes


class Replaced(Struct, Generic[Type, Attributes]):
    type: Type
    attributes: Attributes
    id: Annotated[UUID | None, Meta(description="If sent, the id in the path.")] = None


class Shown(Struct, Generic[Type, Attributes]):
    id: UUID
    type: Type
    attributes: Attributes


class ShownWith(Struct, Generic[Type, Attributes, Relationships]):
    id: UUID
    type: Type
    attributes: Attributes
    relationships: Relationships


class ResourceId(Struct, Generic[Type]):
    id: UUID
    type: Type


class ErrorSource(Struct):
    pointer: str | UnsetType = UNSET
    parameter: str | UnsetType = UNSET
    header: str | UnsetType = UNSET


class Error(Struct, kw_only=True):
    id: Annotated[
        str | UnsetType, Meta(description="The request's id, of an unexpected error.")
    ] = UNSET
    status: str
    title: str
    detail: str | UnsetType = UNSET
    source: ErrorSource | UnsetType = UNSET


class Errors(Struct):
    errors: list[Error]


class PageLinks(Struct):
    first: str
    last: str
    next: str | UnsetType = UNSET
    prev: str | UnsetType = UNSET


class Total(Struct):
    total_filtered_count: Count


class PageMeta(Struct):
    page: Total


class Page(Struct, Generic[Data]):
    data: list[Data]
    links: PageLinks
    meta: PageMeta
