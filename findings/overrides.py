"""A person's severity above all others: set, and taken back. What the source says meanwhile, and
what a rule sets, is kept beneath it; see `services.record` and `rule_effects.severities`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from config.accounts.access import Actor
from config.lib.rows import writer
from config.lib.utc import epoch_ms
from findings.evaluations import request_recheck
from findings.events import Event, actor_json, record_events
from findings.facts import Severity, Status
from findings.models import Finding, FindingEvent
from findings.recording.rows import as_json
from findings.services import lock

SETTABLE = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)
MAX_DESCRIPTION = 280
NOTED = "severity_override"
"""Where the finding's workflow says who set the severity, when and why."""


def change_severity(
    pks: Iterable[int], *, severity: Severity | None, description: str = "", actor: Actor
) -> int:
    """Set it, or with None give it back to rules and source; how many findings changed."""
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
    store_severities([(f, severity.value, f.workflow | {NOTED: noted}) for f in findings], now)
    kind = FindingEvent.Kind.OVERRIDDEN
    events = [Event(f.pk, kind, f.severity, severity.value) for f in findings]
    return record_events(events, actor=actor, now=now, note=description)


@transaction.atomic
def clear_severity(pks: Iterable[int], *, description: str = "", actor: Actor) -> int:
    """Have findings count as rules or else their source say again; the number that did not."""
    now = timezone.now()
    findings = [finding for finding in _open_to_it(pks) if finding.person_severity]
    store_severities([(f, "", _without_note(f)) for f in findings], now)
    kind = FindingEvent.Kind.RESTORED
    events = [Event(f.pk, kind, f.severity, _beneath(f)) for f in findings]
    return record_events(events, actor=actor, now=now, note=description)


def _beneath(finding: Finding) -> str:
    """The severity that holds where a person has set none."""
    return finding.rule_severity or finding.source_severity


def _open_to_it(pks: Iterable[int]) -> Sequence[Finding]:
    return [finding for finding in lock(pks) if finding.status != Status.AUTO_CLOSED]


def _says(finding: Finding, said: Mapping[str, Any]) -> bool:
    noted = finding.workflow.get(NOTED) or {}
    return bool(finding.person_severity) and said.items() <= noted.items()


def _without_note(finding: Finding) -> dict[str, Any]:
    return {name: value for name, value in finding.workflow.items() if name != NOTED}


def store_severities(
    changes: Sequence[tuple[Finding, str, Mapping[str, Any]]], now: datetime
) -> None:
    """Each a (locked) finding, what a person has set, and the workflow. What follows from the
    severity, as a due date does, is for rules to say anew."""
    columns = ("severity", "base_severity", "person_severity", "workflow")
    rows = [
        (
            finding.pk,
            severity or _beneath(finding),
            finding.source_severity if severity or finding.rule_severity else "",
            severity,
            as_json(workflow),
        )
        for finding, severity, workflow in changes
    ]
    if rows:
        writer().update(Finding, columns, rows)
        request_recheck([pk for pk, *_ in rows], now=now)
