"""Mutes and due dates as they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from config.lib.rows import writer
from findings.facts import OPEN_STATUSES, Status
from findings.models import Finding
from findings.recording.rows import as_json
from findings.workflow import Workflow, with_mute, without_due_date


def remove_due_dates(findings: Sequence[Finding]) -> None:
    """Of (locked) findings that are closed."""
    open_ones = [finding for finding in findings if finding.status in OPEN_STATUSES]
    store_mutes(
        [
            Mute(
                f,
                without_due_date(f.workflow),
                is_lifted=f.is_mute_lifted,
                unmuted_rule_id=f.unmuted_rule_id,
            )
            for f in open_ones
        ]
    )


class Mute(NamedTuple):
    """A (locked) finding's mute as it is from now on, with the workflow that tells so. Whoever is
    muted, or is no longer, has no due date until rules give it one."""

    finding: Finding
    workflow: Workflow
    until: datetime | None = None
    is_lifted: bool = False
    unmuted_rule_id: UUID | None = None


def store_mutes(mutes: Sequence[Mute]) -> None:
    if mutes:
        said = ("workflow", "muted_until", "is_mute_lifted", "unmuted_rule_id")
        rows = [
            (m.finding.pk, as_json(m.workflow), m.until, m.is_lifted, m.unmuted_rule_id)
            for m in mutes
        ]
        nothing = ("mute_rule_id", "due_at", "due_rule_id")
        writer().update(Finding, (*said, *nothing), [(*row, None, None, None) for row in rows])


def store_ended_mutes(findings: Sequence[Finding], details: Workflow, *, is_lifted: bool) -> None:
    """Of those that are muted."""
    store_mutes(
        [
            Mute(
                f,
                with_mute(f.workflow, details),
                is_lifted=is_lifted or f.is_mute_lifted,
                unmuted_rule_id=f.mute_rule_id,
            )
            for f in findings
            if f.status == Status.MUTED
        ]
    )
