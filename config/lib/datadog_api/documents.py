"""JSON:API documents that come in: bounded, and every error says where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from rest_framework.request import Request

from config.lib.echo import cut
from config.lib.jsonapi import ApiError
from config.lib.request_body import read_json_body

T = TypeVar("T")

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 50
NO_DATA = (
    'document is missing required top-level members; must have one of: "data", "meta", "errors"'
)
_MISSING = re.compile(r"Object missing required field `(.*)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")


def read_document(request: Request, shape: type[T], *, limit: int = MAX_BYTES) -> T:
    """The body as `shape`, a msgspec type whose members `data`, `attributes`, … are those of
    the document. Members it does not name are ignored.

    Raises `ApiError` 400 with a pointer: not JSON, a member missing or of another JSON type,
    nested deeper than `MAX_DEPTH`, a NUL in a text; 413 and 415 as `read_json_body`.
    """
    body = read_json_body(request, limit=limit)
    if not body.strip():
        raise ApiError(400, detail=NO_DATA)
    try:
        _refuse_what_no_database_keeps(body)
        document: T = _decoder(cast(Any, shape)).decode(body)
    except msgspec.ValidationError as fault:
        raise _wrong(str(fault)) from None
    except msgspec.DecodeError as fault:
        raise ApiError(400, detail=f"The body is not JSON: {fault}.") from None
    except RecursionError:
        raise _too_deep("") from None
    return document


def check_type(given: str, expected: str, *, pointer: str) -> None:
    """Raise `ApiError` 400 unless a resource has the type that is expected of it."""
    if given != expected:
        detail = f'got type "{cut(given)}" expected one of "{expected}"'
        raise ApiError(400, detail=detail, pointer=pointer)


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


_ANYTHING = msgspec.json.Decoder()


def _refuse_what_no_database_keeps(body: bytes) -> None:
    """NUL is no text to PostgreSQL, and what nests without end breaks whoever writes it out.

    A body that can hold neither is not read twice.
    """
    if b"\\u0000" not in body and body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    for pointer, depth, text in _texts(_ANYTHING.decode(body)):
        if depth > MAX_DEPTH:
            raise _too_deep(pointer)
        if "\0" in text:
            raise ApiError(400, detail="A text may not hold NUL (\\u0000).", pointer=pointer)


def _texts(value: Any) -> Iterator[tuple[str, int, str]]:
    """Every text with its pointer and depth; a list or object counts as an empty text."""
    waiting: list[tuple[str, int, Any]] = [("", 0, value)]
    while waiting:
        pointer, depth, inner = waiting.pop()
        if isinstance(inner, dict):
            for name, each in inner.items():
                yield pointer, depth, name
                waiting.append((f"{pointer}/{_escaped(name)}", depth + 1, each))
        elif isinstance(inner, list):
            waiting += [(f"{pointer}/{n}", depth + 1, each) for n, each in enumerate(inner)]
        yield pointer, depth, inner if isinstance(inner, str) else ""


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _too_deep(pointer: str) -> ApiError:
    return ApiError(400, detail=f"At most {MAX_DEPTH} levels may nest.", pointer=pointer[:200])


def _wrong(fault: str) -> ApiError:
    """msgspec's sentence "Expected `int`, got `str` - at `$.data.attributes.name`" as an error."""
    message, _, path = fault.partition(" - at `$")
    pointer = "".join(
        f"/{_escaped(name) if name else place or '*'}"
        for name, place in _STEP.findall(path.rstrip("`"))
    )
    missing = _MISSING.fullmatch(message)
    if missing and missing[1] == "data" and not pointer:
        return ApiError(400, detail=NO_DATA)
    if missing:
        return ApiError(
            400, detail=f"`{missing[1]}` is required.", pointer=f"{pointer}/{missing[1]}"
        )
    return ApiError(400, detail=f"{message}.", pointer=pointer)
