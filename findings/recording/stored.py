"""Rows of the findings table, for the many that recording and the pipeline read.

Times and JSON are read as text and decoded here: Django's and psycopg's own converters of both are
Python, and took two thirds of the time that reading a finding takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from django.db.models import TextField
from django.db.models.functions import Cast

from findings.facts import lookup
from findings.recording.rows import Known

_decoded = msgspec.json.Decoder().decode


@lru_cache(maxsize=4_096)  # findings that came together share most of their times
def moment(text: str | None) -> datetime | None:
    """PostgreSQL writes the offset, SQLite stores UTC without one."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


_READ: dict[str, Callable[[Any], Any]] = {
    "tags": _decoded,
    "attributes": _decoded,
    "workflow": _decoded,
    "first_seen_at": moment,
    "last_seen_at": moment,
    "detection_changed_at": moment,
    "due_at": moment,
    "fix_available_at": moment,
}


def columns(names: Sequence[str]) -> list[str | Cast]:
    """What to select, for `decoder(names)` to decode."""
    return [Cast(lookup(name), TextField()) if name in _READ else name for name in names]


def decoder(names: Sequence[str]) -> Callable[[list[Any]], None]:
    """Decodes the values of a row of `columns(names)` in place."""
    positions = [(names.index(name), read) for name, read in _READ.items() if name in names]

    def decode(values: list[Any]) -> None:
        for position, read in positions:
            values[position] = read(values[position])

    return decode


_decode_known = decoder(Known._fields)


def known_of(row: Sequence[Any]) -> Known:
    values = list(row)
    _decode_known(values)
    return Known._make(values)
