"""What stands beside records in a report, and what a record must hold."""

from __future__ import annotations

from typing import Any, BinaryIO

from findings.formats.normalised import Rejected
from findings.formats.streams.records import Record, records
from findings.formats.values.fields import text

Path = tuple[str | int, ...]


def context(report: BinaryIO, *patterns: str) -> dict[Path, dict[str, Any]]:
    """By the path of an object, those of its fields that lie at the patterns.

    They are gathered before the records are read, because JSON promises no order of fields.
    """
    fields: dict[Path, dict[str, Any]] = {}
    for found in records(report, *patterns):
        fields.setdefault(found.path[:-1], {})[str(found.path[-1])] = found.value
    return fields


def missing_fields(
    found: Record, position: int, *required: str | tuple[str, ...]
) -> Rejected | None:
    """Why the record cannot be read: it is no object, or has no text where it must have one.

    A requirement is a path, "artifact/name" or "trace/0/module", or several of which one is enough.
    """
    if not isinstance(found.value, dict):
        return Rejected(position, found.pointer, "Not an object", "A record is an object.")
    for requirement in required:
        paths = (requirement,) if isinstance(requirement, str) else requirement
        if not any(text(found.value, *_steps(path)) for path in paths):
            pointer = f"{found.pointer}/{paths[0]}" if len(paths) == 1 else found.pointer
            names = " or ".join(f"`{path.replace('/', '.')}`" for path in paths)
            return Rejected(position, pointer, "Missing field", f"{names} is required.")
    return None


def _steps(path: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in path.split("/")]
