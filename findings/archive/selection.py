"""Which findings may be archived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from findings.archive.parts import parts
from findings.facts import GONE_STATUSES
from findings.models import Finding, Import, ImportChange
from findings.recording.import_changes import undo_ends_before
from findings.selectors import waiting_pks


def candidates(cutoff: datetime) -> QuerySet[Finding]:
    """Resolved before then. What else holds them back, `staying` says."""
    return Finding.objects.filter(
        resolved_at__lt=cutoff, resolved_at__isnull=False, status__in=GONE_STATUSES
    ).order_by()


def staying(pks: Sequence[int]) -> set[int]:
    """Those of them that wait for a decision, or whose import or ticket is not over."""
    held = waiting_pks(pks)
    undoable = _undoable()
    changes = ImportChange.objects.filter(finding__in=pks).order_by()
    held.update(changes.filter(run__in=undoable).values_list("finding_id", flat=True))
    brought = Finding.objects.filter(pk__in=pks, first_import__in=undoable).order_by()
    held.update(brought.values_list("pk", flat=True))
    for part in parts().values():
        held |= part.staying(pks)
    return held


def _undoable() -> QuerySet[Import, Any]:
    """Imports that may still be undone, or are being: see `imports.undo`."""
    later = Import.objects.filter(
        scope=OuterRef("scope"),
        started_at__gt=OuterRef("started_at"),
        state__in=[Import.State.RUNNING, Import.State.DONE],
    )
    done = Q(state=Import.State.DONE, scope__isnull=False, are_changes_deleted=False)
    if ends := undo_ends_before(timezone.now()):
        done &= Q(started_at__gte=ends)
    busy = Q(state=Import.State.UNDOING) | Q(closing=Import.Closing.RESOLVING)
    return Import.objects.filter((done & ~Q(Exists(later))) | busy).order_by().values("pk")
