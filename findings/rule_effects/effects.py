"""Claimed findings as they are after a change, and the statement that stores them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from config.lib.rows import writer
from findings.events import Event, write_events
from findings.facts import Facts, Status
from findings.models import Finding
from findings.recording.rows import as_json
from findings.rule_state import RuleState
from findings.services import Claimed


def is_gone(finding: Claimed) -> bool:
    return Status(finding.facts.status).is_gone


def changed(finding: Claimed, **values: Any) -> Claimed:
    """With these columns, each where facts and state have it."""
    facts = {name: value for name, value in values.items() if name in Facts._fields}
    state = {name: value for name, value in values.items() if name in RuleState._fields}
    if "due_at" in values:
        state["due_on"] = values["due_at"].date() if values["due_at"] else None
    return finding._replace(
        facts=finding.facts._replace(**facts), state=finding.state._replace(**state)
    )


def store(changes: Mapping[int, Mapping[str, Any]]) -> None:
    """Primary key → columns, the same of all. One statement, or none."""
    if changes:
        columns = tuple(next(iter(changes.values())))
        rows = [(pk, *map(_stored, values.values())) for pk, values in changes.items()]
        writer().update(Finding, columns, rows)


class Effects(NamedTuple):
    """What rules do to findings, before it is done."""

    findings: Sequence[Claimed]
    columns: Mapping[int, Mapping[str, Any]]  # of those that change, the same of all
    events: Sequence[Event]

    def after(self) -> list[Claimed]:
        """All the findings, as they are then."""
        columns = self.columns
        return [changed(f, **columns[f.pk]) if f.pk in columns else f for f in self.findings]

    def store(self, *, now: datetime) -> list[Claimed]:
        """Two statements."""
        write_events(self.events, now=now)
        store(self.columns)
        return self.after()


def _stored(value: Any) -> Any:
    return as_json(value) if isinstance(value, Mapping) else value
