"""The audit log as a file: CSV for people, JSON lines for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC

from config.accounts.audit.log import Filter, walk
from config.accounts.models import AuditEvent
from config.lib.spreadsheets import csv_lines

COLUMNS = (
    *("position", "at", "category", "action", "actor_type", "actor_id", "actor_name"),
    *("address", "request_id", "object_id", "object_name", "count", "details"),
    *("previous_hash", "hash"),
)


def as_csv(rows: Iterable[AuditEvent]) -> Iterator[str]:
    def texts() -> Iterator[list[str]]:
        yield list(COLUMNS)
        for row in rows:
            yield [_cell(value) for value in _values(row).values()]

    return csv_lines(texts())


def as_json_lines(rows: Iterable[AuditEvent]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(_values(row), ensure_ascii=False) + "\n"


FORMATS: Mapping[str, tuple[str, Callable[[Iterable[AuditEvent]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "jsonl": ("application/x-ndjson", as_json_lines),
}
"""Ending of the file → media type, and how rows become its lines."""


def lines(search: Filter, *, ending: str) -> Iterator[str]:
    return FORMATS[ending][1](walk(search))


def _values(row: AuditEvent) -> dict[str, object]:
    values = {name: getattr(row, name) for name in COLUMNS}
    return values | {"at": row.at.astimezone(UTC).isoformat()}


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case dict():
            return json.dumps(value, ensure_ascii=False) if value else ""
    return str(value)
