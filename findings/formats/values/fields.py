"""Taking values out of a parsed record whose shape nobody promised.

Each function answers with an empty value where the report has none or one of another type.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from findings.formats.credentials import mask_credentials
from findings.formats.normalised import MAX_TAG


def dig(value: Any, *steps: str | int) -> Any:
    """What lies at the steps (keys and indexes) below `value`, or None."""
    for step in steps:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text(value: Any, *steps: str | int) -> str:
    """The text there, without NULs (PostgreSQL has none) and outer space; a number as text."""
    found = dig(value, *steps)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return ""
    return str(found).replace("\0", "").strip()


def texts(value: Any, *steps: str | int) -> list[str]:
    """The texts of the list there (a single text is a list of one), empty ones left out."""
    found = dig(value, *steps)
    candidates = found if isinstance(found, list) else [found]
    return [word for word in map(text, candidates) if word]


def objects(value: Any, *steps: str | int) -> list[dict[str, Any]]:
    """The objects in the list there."""
    found = dig(value, *steps)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def number(value: Any, *steps: str | int) -> float | None:
    """The finite number there, also one written as text."""
    try:
        found = float(text(value, *steps))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def whole(value: Any, *steps: str | int) -> int | None:
    """The whole number there, of at most 63 bits."""
    found = number(value, *steps)
    return int(found) if found is not None and abs(found) < 2**53 else None


def moment(value: Any, *steps: str | int, latest: datetime) -> str | None:
    """The time there in ISO 8601, or None for none, one before 1970 or one after `latest`.

    Texts are ISO 8601 (without an offset: UTC), numbers are seconds or milliseconds. A report
    with a wrong clock is a report all the same: its findings go in without their times.
    """
    found = dig(value, *steps)
    try:
        if isinstance(found, str):
            read = datetime.fromisoformat(found.strip())
            read = read if read.tzinfo else read.replace(tzinfo=UTC)
        else:
            seconds = number(found) or 0.0
            read = datetime.fromtimestamp(seconds / (1_000 if seconds > _SECONDS else 1), UTC)
        return read.isoformat() if _EPOCH < read <= latest else None
    except (ValueError, OverflowError, OSError):
        return None


def moment_as(written: str, *forms: str, latest: datetime) -> str | None:
    """As `moment`, of a text in ISO 8601 or in one of the forms of `strptime`, in UTC."""
    for form in forms:
        try:
            read = datetime.strptime(written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return moment(read.isoformat(), latest=latest)
    return moment(written, latest=latest)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = 10**11  # as seconds the year 5138, as milliseconds 1973


def repository_name(uri: str) -> str:
    """`github.com/acme/api`: without scheme, user and `.git`, so that both clone ways agree."""
    place = uri.partition("://")[2] or uri.replace(":", "/", 1)
    return clip(place.rpartition("@")[2].removesuffix("/").removesuffix(".git"), 300)


def clip(value: str, limit: int) -> str:
    """Credentials are masked before the cut: half of one has no known shape."""
    return value if len(value) <= limit else mask_credentials(value)[: limit - 1] + "…"


def one_line(value: str, limit: int) -> str:
    return clip(" ".join(value.split()), limit)


def tags(**values: str | Iterable[str]) -> list[str]:
    """`key:value` for each value there is; a keyword names the key."""
    pairs = (
        (key, one_line(each, MAX_TAG - len(key) - 1))
        for key, value in values.items()
        for each in ([value] if isinstance(value, str) else value)
    )
    return [f"{key}:{word}" for key, word in pairs if word]


def without_empty(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping without what the report did not say, at every level of objects."""
    kept = {
        key: without_empty(value) if isinstance(value, Mapping) else value
        for key, value in mapping.items()
    }
    return {key: value for key, value in kept.items() if value not in (None, "", [], {})}
