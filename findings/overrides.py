"""A person's severity above the source's: set, and taken back. What the source says meanwhile
is kept beneath it; see `services.record`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.accounts.access import Actor
from config.lib.rows import writer
from findings.facts import Severity, Status
from findings.models import Finding, FindingEvent
from findings.recording.rows import as_json
from findings.services import Event, actor_json, epoch_ms, lock, tell

SETTABLE = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)
MAX_DESCRIPTION = 280
NOTED = "severity_override"
"""Where the finding's workflow says who set the severity, when and why."""


def change_severity(
    pks: Iterable[int], *, severity: Severity | None, description: str = "", actor: Actor
) -> int:
    """Set it, or with None give it back to the source; the number of findings that changed."""
    if severity is None:
        return clear_severity(pks, description=description, actor=actor)
    return set_severity(pks, severity=severity, description=description, actor=actor)


@transaction.atomic
def set_severity(
    pks: Iterable[int], *, severity: Severity, description: str = "", actor: Actor
) -> int:
    """Have findings count as `severity`, whatever their source says; the number that changed.

    It holds until `clear_severity`. Auto-closed ones stay as they are, and so do those of
    which the same was said before.
    """
    now = timezone.now()
    said = {"value": severity.value, "description": description}
    findings = [finding for finding in _open_to_it(pks) if not _says(finding, said)]
    noted = said | {"updated_at": epoch_ms(now), "updated_by": actor_json(actor)}
    _store((f.pk, severity.value, f.source_severity, f.workflow | {NOTED: noted}) for f in findings)
    kind = FindingEvent.Kind.OVERRIDDEN
    events = [Event(f.pk, kind, f.severity, severity.value) for f in findings]
    return tell(events, actor=actor, now=now, note=description)


@transaction.atomic
def clear_severity(pks: Iterable[int], *, description: str = "", actor: Actor) -> int:
    """Have findings count as their source says again; the number that did not."""
    findings = [finding for finding in _open_to_it(pks) if finding.base_severity]
    _store((f.pk, f.base_severity, "", _without_note(f)) for f in findings)
    kind = FindingEvent.Kind.RESTORED
    events = [Event(f.pk, kind, f.severity, f.base_severity) for f in findings]
    return tell(events, actor=actor, now=timezone.now(), note=description)


def _open_to_it(pks: Iterable[int]) -> Sequence[Finding]:
    return [finding for finding in lock(pks) if finding.status != Status.AUTO_CLOSED]


def _says(finding: Finding, said: Mapping[str, Any]) -> bool:
    noted = finding.workflow.get(NOTED) or {}
    return bool(finding.base_severity) and said.items() <= noted.items()


def _without_note(finding: Finding) -> dict[str, Any]:
    return {name: value for name, value in finding.workflow.items() if name != NOTED}


def _store(changes: Iterable[tuple[int, str, str, Mapping[str, Any]]]) -> None:
    """Each a primary key, the severity that holds, the source's beneath it, the workflow."""
    rows = [(pk, holds, beneath, as_json(workflow)) for pk, holds, beneath, workflow in changes]
    if rows:
        writer().update(Finding, ("severity", "base_severity", "workflow"), rows)
