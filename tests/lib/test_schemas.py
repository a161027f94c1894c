"""msgspec types as the OpenAPI document writes them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType, field

from config.lib.datadog_api.schemas import create, many, one, order, schema_of, update
from config.lib.datadog_api.shapes import Count, EpochMs, Moment, Ref, documented, only

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


class Inner(Struct):
    """What it is."""

    name: str


INNER = {
    "type": "object",
    "description": "What it is.",
    "properties": {"name": TEXT},
    "required": ["name"],
}


class Set(Struct, tag="set", tag_field="action"):
    value: int


class Clear(Struct, tag="clear", tag_field="action"):
    pass


def listed(item, **limits):
    return {"type": "array", "items": item} | limits


def action(name, **members):
    members = {"action": {"type": "string", "enum": [name]}} | members
    return {"type": "object", "properties": members, "required": list(members)}


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (
            Annotated[str, Meta(min_length=1), documented(maxLength=9)],
            {"minLength": 1, "maxLength": 9},
        ),
        (Annotated[str, only("cases")], {"enum": ["cases"]}),
        (Literal["b", "a"], {"enum": ["a", "b"]}),
        (Moment, {"format": "date-time"}),
        (date, {"format": "date"}),
        (UUID, {"format": "uuid"}),
        (str | None, {"nullable": True}),
    ],
)
def test_a_text_says_its_limits(shape, said):
    assert schema_of(shape) == TEXT | said


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (Count, {"type": "integer", "minimum": 0}),
        (
            EpochMs,
            {"type": "integer", "format": "int64", "description": "Epoch milliseconds."},
        ),
        (Any, {}),
        (dict[str, list[str]], {"type": "object", "additionalProperties": listed(TEXT)}),
        (Annotated[list[Inner], Meta(max_length=3)], listed(INNER, maxItems=3)),
        (Inner | None, INNER | {"nullable": True}),
        (Annotated[Inner, Meta(description="Here.")], INNER | {"description": "Here."}),
        (Set | Clear, {"oneOf": [action("set", value={"type": "integer"}), action("clear")]}),
        (
            Ref[Annotated[str, only("x")]],
            {
                "type": "object",
                "properties": {"id": TEXT, "type": TEXT | {"enum": ["x"]}},
                "required": ["id", "type"],
            },
        ),
    ],
)
def test_a_type_is_written_out(shape, said):
    assert schema_of(shape) == said


class Members(Struct, kw_only=True):
    needed: int
    null: int | None
    absent: int | None = None
    either: int | UnsetType | None = UNSET
    unset: Inner | UnsetType = UNSET
    known: int = 3
    empty: list[str] = []
    renamed: bool = field(name="re-named", default=False)


def test_a_member_with_a_default_may_be_left_out():
    said = schema_of(Members)
    assert said["required"] == ["needed", "null"]
    assert said["properties"] == {
        "needed": NUMBER,
        "null": NUMBER | {"nullable": True},
        "absent": NUMBER,
        "either": NUMBER | {"nullable": True},
        "unset": INNER,
        "known": NUMBER | {"default": 3},
        "empty": listed(TEXT),
        "re-named": {"type": "boolean", "default": False},
    }


@pytest.mark.parametrize(
    ("said", "members"),
    [
        (one(Inner, type_="x"), ["id", "type", "attributes"]),
        (create(Inner, type_="x"), ["type", "attributes"]),
        (update(Inner, type_="x"), ["type", "attributes"]),
    ],
)
def test_an_envelope_holds_one_resource(said, members):
    resource = said["properties"]["data"]
    assert resource["required"] == members
    assert resource["properties"]["type"] == TEXT | {"enum": ["x"]}
    assert resource["properties"]["attributes"] == INNER


def test_an_envelope_holds_a_page_or_an_order():
    page = many(Inner, type_="x")
    assert page["required"] == ["data", "links", "meta"]
    assert page["properties"]["data"]["items"]["properties"]["attributes"] == INNER
    assert order("x")["properties"]["data"]["items"]["required"] == ["id", "type"]
