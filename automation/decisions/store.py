"""Decisions are stored in one statement, with the facts copied from the findings' rows by the
database itself: the rows are locked, so what is copied is what the engine saw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from automation.kinds.base import Verdict
from automation.models import Decision
from findings.facts import DECISION_FACTS

_POSTGRESQL = """
INSERT INTO automation_decision (
    kind, finding_id, requested_at, outcome, rule_id, rule_set_version, facts,
    case_id, used_before, reason, day, created_at)
SELECT %s, f.id, COALESCE(%s::timestamptz, f.unevaluated_since), v.outcome, v.rule_id, %s,
    jsonb_build_object({facts}),
    v.case_id, v.used_before, v.reason, %s, %s
FROM jsonb_to_recordset(%s::jsonb) AS v(
    pk bigint, outcome text, rule_id uuid, case_id uuid, used_before int, reason text)
JOIN findings_finding f ON f.id = v.pk
ORDER BY f.id
"""

_SQLITE = """
INSERT INTO automation_decision (
    kind, finding_id, requested_at, outcome, rule_id, rule_set_version, facts,
    case_id, used_before, reason, day, created_at)
SELECT %s, f.id, COALESCE(%s, f.unevaluated_since), v.value ->> 'outcome',
    v.value ->> 'rule_id', %s,
    json_object({facts}),
    v.value ->> 'case_id', v.value ->> 'used_before', v.value ->> 'reason', %s, %s
FROM json_each(%s) v
JOIN findings_finding f ON f.id = v.value ->> 'pk'
WHERE true
ORDER BY f.id
"""


def store(
    verdicts: Sequence[Verdict],
    *,
    kind: str,
    rule_set_version: int,
    now: datetime,
    requested_at: datetime | None = None,
) -> None:
    """Record one decision for each verdict, as an answer to what was requested then; if nothing
    is said of that, to their evaluation, for which the findings must still wait."""
    postgresql = connection.vendor == "postgresql"
    rows = json.dumps([_row(verdict, dashes=postgresql) for verdict in verdicts])
    column = "'{0}', f.{0}" if postgresql else "'{0}', {1}"
    facts = ", ".join(column.format(name, _sqlite_json(name)) for name in DECISION_FACTS)
    statement = (_POSTGRESQL if postgresql else _SQLITE).format(facts=facts)
    day = now.date() if postgresql else now.date().isoformat()
    at, requested = (_time(moment, naive=not postgresql) for moment in (now, requested_at))
    with connection.cursor() as cursor:
        cursor.execute(statement, [kind, requested, rule_set_version, day, at, rows])


def replace(
    verdicts: Sequence[Verdict],
    *,
    withdrawn: Sequence[int],
    kind: str,
    rule_set_version: int,
    now: datetime,
) -> None:
    """Keep these as the one decision of their kind that holds for each finding, and none for
    those withdrawn."""
    pks = [*withdrawn, *(verdict.finding_pk for verdict in verdicts)]
    if pks:
        Decision.objects.filter(kind=kind, finding__in=pks).delete()
    if verdicts:
        store(verdicts, kind=kind, rule_set_version=rule_set_version, now=now, requested_at=now)


def _time(moment: datetime | None, *, naive: bool) -> datetime | str | None:
    """SQLite keeps naive text in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f") if naive and moment else moment


def _row(verdict: Verdict, *, dashes: bool) -> dict[str, object]:
    """PostgreSQL reads a uuid; on SQLite Django stores its 32 hexadecimal digits."""

    def uuid(value: UUID | None) -> str | None:
        return None if value is None else str(value) if dashes else value.hex

    return {
        "pk": verdict.finding_pk,
        "outcome": verdict.outcome,
        "rule_id": uuid(verdict.rule_id),
        "case_id": uuid(verdict.case_id),
        "used_before": verdict.used_before,
        "reason": verdict.reason,
    }


def _sqlite_json(name: str) -> str:
    """JSON columns are text there; times are naive text in UTC."""
    if name in ("tags", "attributes"):
        return f"json(f.{name})"
    if name.endswith("_at"):
        return f"replace(f.{name}, ' ', 'T') || '+00:00'"
    return f"f.{name}"
