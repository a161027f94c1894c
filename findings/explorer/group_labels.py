"""How a group of findings is called: "Update grpcio 1.50.0 → 1.53.2"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from findings.grouping import GroupField, group_fields, package_name
from findings.packages import fix_of, package_text, update_title


class Label(NamedTuple):
    title: str
    detail: str  # beside what distinguishes it, or ""


class Told(Protocol):
    """A finding of the group, which stands for the others."""

    title: str
    resource_id: str
    resource_name: str
    attributes: Mapping[str, Any]


def title_of_fields(fields: Sequence[GroupField]) -> str:
    """Over the column: "Package to update", "Team · Repository"."""
    return " · ".join(field.label[:1].upper() + field.label[1:] for field in fields)


def said_of_fields(fields: Sequence[GroupField]) -> str:
    """After "by": "package to update", "team and repository"."""
    *first, last = (field.label for field in fields)
    return f"{', '.join(first)} and {last}" if first else last


def lack_of_fields(fields: Sequence[GroupField]) -> str:
    """After "names no": "package", "team or repository"."""
    *first, last = (field.short for field in fields)
    return f"{', '.join(first)} or {last}" if first else last


def label_of(names: Sequence[str], values: Sequence[str], finding: Told | None) -> Label:
    fields = group_fields(names)
    if not values:
        return Label(
            f"No {lack_of_fields(fields)}", "Each stands alone and gets a ticket of its own"
        )
    if len(values) > 1:
        return Label(" · ".join(values), " · ".join(field.short for field in fields))
    return _of_one(names[0], values[0], finding) if finding else Label(values[0], "")


def _of_one(name: str, value: str, finding: Told) -> Label:
    match name:
        case "package":
            return _update(value, finding)
        case "title":
            return Label(finding.title, "")
        case "resource":
            known_as = finding.resource_name or value
            return Label(known_as, value if known_as != value else "")
        case "vulnerability" | "rule" | "correlation":
            return Label(value, finding.title)
        case _:
            return Label(value, "")


def _update(value: str, finding: Told) -> Label:
    """As the ticket of this one finding would be called."""
    name = package_text(finding, "name") or package_name(value)
    installed = package_text(finding, "version")
    title = update_title(name, [installed] if installed else [], fix_of([finding]))
    return Label(title, value.partition("/")[0] if "/" in value else "")
