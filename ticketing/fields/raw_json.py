"""The JSON of a field that is of no kind we know, as a person types it. Pure.

What begins like JSON has to be JSON; anything else, an id for one, is text as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any, Never

MAX_DEPTH = 50
_SHORT = 60  # characters that a person reads on one line


class InvalidJson(ValueError):
    """`str(error)` says what is wrong, and where."""


def read_raw(text: str) -> Any:
    """Raises InvalidJson. `{{a}}` is a placeholder, and so text."""
    text = text.strip()
    is_json = text.startswith(("{", "[", '"')) and not text.startswith("{{")
    try:
        value = _loads(text)
    except (ValueError, RecursionError) as error:
        if is_json:
            raise InvalidJson(_sentence(error)) from None
        value = text
    for part, depth in _parts(value):
        if depth > MAX_DEPTH:
            raise InvalidJson("this JSON is nested too deeply.")
        if isinstance(part, str) and not _is_storable(part):
            raise InvalidJson("this holds a character that cannot be stored, as \\u0000.")
    return value


def write_raw(value: Any) -> str:
    """What `read_raw` makes this value of."""
    if isinstance(value, str) and _reads_as_itself(value):
        return value
    line = json.dumps(value, ensure_ascii=False)
    as_ascii = not _is_storable(line)  # a client of the API may have sent it escaped
    return json.dumps(value, ensure_ascii=as_ascii, indent=None if len(line) <= _SHORT else 2)


def _reads_as_itself(text: str) -> bool:
    try:
        return "\r" not in text and bool(read_raw(text) == text)
    except InvalidJson:
        return False


def _loads(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse, parse_float=_number)


def _refuse(constant: str) -> Never:
    raise InvalidJson(f"{constant} is not JSON.")


def _number(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise InvalidJson("a number in it is too large.")
    return number


def _sentence(error: Exception) -> str:
    if isinstance(error, InvalidJson):
        return str(error)
    if isinstance(error, RecursionError):
        return "this JSON is nested too deeply."
    if not isinstance(error, json.JSONDecodeError):
        return "a number in it is too large."
    return (
        f"this is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}. "
        "Text that begins like JSON needs quotes around it."
    )


def _parts(value: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """Each part, and how deep it is in the whole; no further down than is allowed."""
    yield value, depth
    if depth > MAX_DEPTH:
        return
    if isinstance(value, dict):
        yield from ((key, depth) for key in value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _parts(each, depth + 1)


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
