"""Findings of one import, as an address names them: `import=new:<id>`, or `import=<id>` for those
that are new or open again with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from findings.models import Import, ImportChange

Kind = ImportChange.Kind
LABELS: Mapping[str, str] = {
    "": "New or reopened by",
    "new": "New with",
    "seen": "Seen again by",
    "reopened": "Reopened by",
    "resolved": "Resolved by",
    "severity": "Severity changed by",
}


class ImportPart(NamedTuple):
    part: str  # of `LABELS`
    import_id: UUID

    @property
    def label(self) -> str:
        return LABELS[self.part]

    def __str__(self) -> str:
        return f"{self.part}:{self.import_id}".removeprefix(":")


def part_of_import(text: str) -> ImportPart | None:
    part, _, name = text.rpartition(":")
    try:
        import_id = UUID(name)
    except ValueError:
        return None
    return ImportPart(part, import_id) if part in LABELS else None


def is_of_import(part: ImportPart) -> Q:
    if part.part == "new":
        return Q(first_import=part.import_id)
    if part.part == "seen":
        return _is_seen_again(part.import_id)
    if part.part:
        return _is_changed(part.import_id, Kind(part.part))
    return Q(first_import=part.import_id) | _is_changed(part.import_id, Kind.REOPENED)


def _is_changed(import_id: UUID, kind: Kind) -> Q:
    changes = ImportChange.objects.filter(run=import_id, kind=kind)
    return Q(pk__in=changes.order_by().values("finding"))


def _is_seen_again(import_id: UUID) -> Q:
    """What was reported last in its time: true until a later report of the scope is in. One
    statement."""
    run = Import.objects.filter(pk=import_id, scope__isnull=False).first()
    if run is None:
        return Q(pk__in=())
    times = Q(evaluation__last_seen_at__gte=run.started_at)
    if run.finished_at:
        times &= Q(evaluation__last_seen_at__lte=run.finished_at)
    is_new = Q(first_import=import_id, first_import__isnull=False)
    return Q(times, scope=run.scope_id) & ~is_new & ~_is_changed(import_id, Kind.REOPENED)
