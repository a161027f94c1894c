"""Numbers, moments, addresses, letters: what one value is, said once for all readers.

The regular expressions here are read by Python and by PostgreSQL, so they use only what
both understand in the same way.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any

# Bounded, because PostgreSQL's numeric is: a longer run of digits is a text.
NUMBER = r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,100})?"
_NUMBER = re.compile(NUMBER)

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(\.{_OCTET}){{3}}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_TAIL = f"({_GROUP}:{_GROUP}|{_IPV4})"
_IPV6 = "|".join(
    (
        f"({_GROUP}:){{6}}{_TAIL}",
        *(f"(({_GROUP}:){{0,{4 - n}}}{_GROUP})?::({_GROUP}:){{{n}}}{_TAIL}" for n in range(5)),
        f"::({_GROUP}:){{5}}{_TAIL}",
        f"(({_GROUP}:){{0,5}}{_GROUP})?::{_GROUP}",
        f"(({_GROUP}:){{0,6}}{_GROUP})?::",
    )
)  # RFC 3986, appendix A: no zone, no prefix length
ADDRESS = f"({_IPV4}|{_IPV6})"
_ADDRESS = re.compile(ADDRESS)

# Letters and digits; beyond ASCII everything but the blocks of punctuation. Not `\w`:
# Python and PostgreSQL (by locale) do not agree on it. Said by what it is not, because
# Python takes 13 ms to compile a set that reaches the end of Unicode, and 0.3 ms for this.
WORD_CHARACTER = "[^\x01-/:-@\\[-`{-\u00bf\u2000-\u206f\u3000-\u303f]"
_WORD_CHARACTER = re.compile(WORD_CHARACTER)

_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class Structure(Enum):
    """Stands for an object, or an array inside an array: present, but equal to nothing."""

    STRUCTURE = "structure"


Value = str | Decimal | datetime | Structure
"""Hashable, and equal exactly when no matcher can tell two apart. `true` is a text."""


def number(text: str) -> Decimal | None:
    """The number that `text` plainly writes: no exponent, no leading zero, no spaces."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def number_text(value: Decimal) -> str:
    """The shortest plain text of a number: `7` for 7.0, never an exponent."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


def is_word_character(character: str) -> bool:
    return _WORD_CHARACTER.fullmatch(character) is not None


def ascii_lower(text: str) -> str:
    """Lower case for A-Z only, which is what both databases can be made to agree on."""
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


def scalar(value: Any) -> Value | None:
    """What a JSON value that is no array stands for; None when it counts as missing."""
    match value:
        case str():
            return value
        case bool():  # before int, which it is
            return "true" if value else "false"
        case int():
            return Decimal(value)
        case float():
            # By its shortest text, which is what JSON and jsonb hold.
            return Decimal(repr(value)) if isfinite(value) else None
        case _:
            return Structure.STRUCTURE if value else None


def moment(text: str) -> tuple[datetime, datetime] | None:
    """First instant and end (not included) of a day, or an instant twice; None if neither.

    Reads ISO 8601 (UTC unless an offset is given) and milliseconds since 1970.
    """
    try:
        if re.fullmatch(r"-?[0-9]{1,15}", text):
            instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
            return instant, instant
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            day = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return day, day + timedelta(days=1)
        if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T", text):
            return None
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=UTC)
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant, instant
