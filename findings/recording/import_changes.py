"""What an import changes of findings that are there, kept with how they were before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from config.lib.retention import cutoff_of
from config.lib.rows import writer
from findings.models import Finding, Import, ImportChange
from findings.recording.rows import as_json

Kind = ImportChange.Kind
BEFORE_REOPENING = (
    "status",
    "resolved_at",
    "detection_changed_at",
    "ticket",
    "ticket_rule_id",
    "is_mute_lifted",
    "unmuted_rule_id",
)
"""What opening a finding again changes, beside what its source says of it."""
_COLUMNS = ("run_id", "finding_id", "kind", "before", "is_undone")


def undo_ends_before(now: datetime) -> datetime | None:
    """Imports that ended before cannot be undone: what that takes may have been deleted."""
    cutoffs = [cutoff_of(name, now) for name in ("import_changes", "finding_events")]
    return max((cutoff for cutoff in cutoffs if cutoff is not None), default=None)


def keep_changes(
    run: Import | None, *, reopened: Sequence[int], severities: Mapping[int, str]
) -> None:
    """Before it is done: findings that will open again, and severities as the source said until
    now. Two statements at most."""
    if run is None or not (reopened or severities):
        return
    gone = (
        Finding.objects.filter(pk__in=reopened).values("pk", *BEFORE_REOPENING) if reopened else ()
    )
    before = {row.pop("pk"): row for row in gone}
    rows = [
        (run.pk, pk, Kind.REOPENED.value, _json(values), False) for pk, values in before.items()
    ]
    rows += [
        (run.pk, pk, Kind.SEVERITY.value, as_json({"severity": severity}), False)
        for pk, severity in severities.items()
        if pk not in before
    ]
    writer().insert(ImportChange, _COLUMNS, rows)


def keep_resolved(run: Import, findings: Sequence[tuple[int, str, Any]]) -> None:
    """Findings that the import closes: primary key, status before, and when. One statement."""
    rows = [
        (run.pk, pk, Kind.RESOLVED.value, _json({"status": status, "closed_at": at}), False)
        for pk, status, at in findings
    ]
    writer().insert(ImportChange, _COLUMNS, rows)


def _json(values: Mapping[str, Any]) -> str:
    return as_json({name: _text(value) for name, value in values.items()})


def _text(value: Any) -> Any:
    """Times in ISO 8601 with microseconds, ids as text."""
    if value is None or isinstance(value, str | bool):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
