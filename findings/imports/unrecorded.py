"""Findings as recording a batch would leave them to the pipeline, with nothing written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from findings.facts import Facts, Status, Ticket
from findings.formats.normalised import Normalised
from findings.models import Finding, Source
from findings.recording.rows import (
    NEW,
    SOURCE_COLUMNS,
    Known,
    ReportRow,
    new_row,
    report_row,
    source_values,
)
from findings.rule_state import RuleState
from findings.services import CLAIMED, Claimed

NOT_STORED = 0
"""The primary key of a finding that is not in the table yet."""
_decoded = msgspec.json.Decoder().decode
_AS_JSON = ("tags", "attributes", "workflow")


def new_finding(finding: Normalised, *, source: Source, now: datetime) -> Claimed:
    row = new_row(report_row(finding), source_id=source.pk, source_name=source.name, now=now)
    facts = _facts(dict(zip(NEW, row, strict=True)))
    return Claimed(NOT_STORED, Facts(**facts, last_seen_at=now))


def reopened_findings(
    pairs: Sequence[tuple[Known, Normalised]], *, now: datetime
) -> Iterator[Claimed]:
    """Those that would be evaluated: the ones that no ticket follows, or that still wait. One
    statement."""
    if not pairs:
        return
    reports = {row.pk: (row, report_row(finding)) for row, finding in pairs}
    rows = Finding.objects.filter(pk__in=reports).order_by("pk")
    for waiting_since, *values in rows.values_list("evaluation__unevaluated_since", *CLAIMED):
        claimed = Claimed.read(values)
        if waiting_since or not Ticket(claimed.facts.ticket).is_attached:
            yield _open_again(claimed, *reports[claimed.pk], now=now)


def _open_again(claimed: Claimed, row: Known, report: ReportRow, *, now: datetime) -> Claimed:
    values = source_values(
        report,
        first_seen_at=row.first_seen_at,
        overridden=row.severity if row.base_severity else "",
    )
    facts = _facts(dict(zip(SOURCE_COLUMNS, values, strict=True)))
    facts |= {"status": Status.OPEN.value, "detection_changed_at": now}
    facts |= {"last_seen_at": max(claimed.facts.last_seen_at or now, now)}
    facts |= {"is_mute_lifted": False, "unmuted_rule_id": None}
    if claimed.facts.ticket == Ticket.OVER_LIMIT:
        facts |= {"ticket": Ticket.NONE.value, "ticket_rule_id": None}
    state: RuleState = claimed.state._replace(is_mute_lifted=False)
    return claimed._replace(facts=claimed.facts._replace(**facts), state=state)


def _facts(columns: Mapping[str, Any]) -> dict[str, Any]:
    """What the rules see of these columns."""
    facts = {name: value for name, value in columns.items() if name in Facts._fields}
    facts |= {name: _decoded(facts[name]) for name in _AS_JSON if name in facts}
    facts["source_severity"] = columns["base_severity"] or columns["severity"]
    return facts
