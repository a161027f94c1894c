"""What the database and JSON can hold, and the refusal of what they cannot. Pure."""

from __future__ import annotations

import math
from typing import Any

MAX_INTEGER = 2**63 - 1  # beyond it SQLite and half of all JSON readers lose digits
MAX_ATTRIBUTES_DEPTH = 10
NOT_STORABLE = ("Not storable", "The text holds a NUL or half of a surrogate pair.")


class Refusal(ValueError):
    def __init__(self, pointer: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.title = title
        self.detail = detail

    def under(self, key: str | int) -> Refusal:
        step = str(key)[:200].replace("~", "~0").replace("/", "~1")
        # A pointer is shown to people: a key that is itself what is wrong must not break it.
        step = step.encode(errors="replace").decode().replace("\0", "?")
        return Refusal(f"/{step}{self.pointer}", self.title, self.detail)


def is_storable(text: str) -> bool:
    """PostgreSQL stores neither NUL nor a lone surrogate, in text or in jsonb."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_json(value: object, depth: int) -> None:
    """Refuse what JSON, PostgreSQL or SQLite cannot hold, and what nests too deep."""
    if isinstance(value, str):
        if not is_storable(value):
            raise Refusal("", *NOT_STORABLE)
    elif isinstance(value, (dict, list)):
        if depth == 0:
            detail = f"Only {MAX_ATTRIBUTES_DEPTH} levels are allowed."
            raise Refusal("", "Nested too deep", detail)
        _check_items(value, depth - 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Refusal("", "Not a number", "NaN and Infinity are not JSON.")
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise Refusal("", "Too large", "An integer must fit into 64 bits.")
    elif value is not None:
        raise Refusal("", "Not JSON", f"{type(value).__name__} is not a JSON value.")


def _check_items(container: dict[Any, Any] | list[Any], depth: int) -> None:
    pairs = container.items() if isinstance(container, dict) else enumerate(container)
    for key, item in pairs:
        if isinstance(key, str) and not is_storable(key):
            raise Refusal("", *NOT_STORABLE).under(key)
        if isinstance(item, str) and is_storable(item):
            continue  # most are: a third of the cost of the call
        try:
            check_json(item, depth)
        except Refusal as refusal:
            raise refusal.under(key) from None
