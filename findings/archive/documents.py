"""A finding as a JSON object from which exactly the same rows are made again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.db.models import Field, Model

from findings.models import Evaluation, Finding, FindingEvent

VERSION = 1
_BY_NAME = {"id", "source", "scope"}
"""Columns of a finding that a document tells in words: numbers differ between databases."""
SAID_ANEW = {"digest", "description", "tags", "attributes", "grouping"}
"""What a report brings again, and a tombstone leaves out."""


def values_of(row: Model, *, but: Collection[str] = ()) -> dict[str, Any]:
    """Column → its value as JSON; of those that the database does not make itself."""
    fields = [field for field in _fields(type(row)) if field.name not in but]
    values: dict[str, Any] = msgspec.to_builtins(
        {field.attname: getattr(row, field.attname) for field in fields}
    )
    return values


def row_of(model: type[Model], values: Mapping[str, Any], **more: Any) -> Any:
    """A row that is not stored yet. Columns that are not there any more are left out, and those
    that came since have their default."""
    read = {
        field.attname: field.to_python(values[field.attname])
        for field in _fields(model)
        if field.attname in values
    }
    return model(**(read | more))


def document(finding: Finding, events: Iterable[FindingEvent]) -> dict[str, Any]:
    scope = finding.scope
    return {
        "pk": finding.pk,
        "source": finding.source.name,
        "scope": {"target": scope.target, "scanner": scope.scanner} if scope else None,
        "finding": values_of(finding, but=_BY_NAME) | _evaluation(finding),
        "events": [values_of(event, but={"id", "finding"}) for event in events],
    }


def tombstone_columns(finding: Finding) -> dict[str, Any]:
    """Those that are not as they would be anyway: there may be millions of tombstones."""
    usual = {
        field.attname: field.get_default() for field in _fields(Finding) if not field.primary_key
    }
    values = values_of(finding, but={"id", "source"} | SAID_ANEW)
    kept = {name: value for name, value in values.items() if value != usual[name]}
    evaluation = _evaluation(finding).items()
    return kept | {name: value for name, value in evaluation if value is not None}


def _evaluation(finding: Finding) -> dict[str, Any]:
    return values_of(finding.evaluation, but={"finding"})


def insert(rows: Sequence[tuple[Finding, Mapping[str, Any]]]) -> None:
    """Findings that are not stored yet, and what these values say of their evaluation."""
    for has_number in (True, False):
        Finding.objects.bulk_create([row for row, _ in rows if (row.pk is not None) is has_number])
    names = [field.name for field in _fields(Evaluation) if not field.primary_key]
    Evaluation.objects.bulk_create(
        row_of(Evaluation, {name: said.get(name) for name in names}, finding=row)
        for row, said in rows
    )


def _fields(model: type[Model]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not field.generated]
