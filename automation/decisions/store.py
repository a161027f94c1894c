"""Decisions are stored in one statement, with the facts copied from the findings' rows by the
database itself, or left in them (see `facts`): the rows are locked, so they are what the engine
saw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection

from automation.decisions.facts import facts_as_json
from automation.kinds.base import Verdict
from automation.models import Decision
from config.lib.rows.arrays import array

_POSTGRESQL = """
INSERT INTO automation_decision (
    kind, finding_id, requested_at, outcome, rule_id, rule_set_version, facts, last_seen_at,
    case_id, used_before, reason, day, created_at)
SELECT %(kind)s, v.pk, COALESCE(%(requested)s::timestamptz, e.unevaluated_since), v.outcome, NULL,
    %(version)s, NULL, v.seen, NULL, NULL, '', %(day)s, %(now)s
FROM unnest(%(pks)s::bigint[], %(outcomes)s::text[], %(seen)s::timestamptz[])
    AS v (pk, outcome, seen)
JOIN findings_evaluation e ON e.finding_id = v.pk
UNION ALL
SELECT %(kind)s, f.id, COALESCE(%(requested)s::timestamptz, e.unevaluated_since), v.outcome,
    v.rule_id, %(version)s, {facts}, NULL, v.case_id, v.used_before, v.reason, %(day)s, %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb) AS v (
    pk bigint, outcome text, rule_id uuid, case_id uuid, used_before int, reason text)
JOIN findings_finding f ON f.id = v.pk
JOIN findings_evaluation e ON e.finding_id = v.pk
ORDER BY 2
"""

_SQLITE = """
INSERT INTO automation_decision (
    kind, finding_id, requested_at, outcome, rule_id, rule_set_version, facts, last_seen_at,
    case_id, used_before, reason, day, created_at)
SELECT %(kind)s, e.finding_id, COALESCE(%(requested)s, e.unevaluated_since), v.value ->> 1, NULL,
    %(version)s, NULL, v.value ->> 2, NULL, NULL, '', %(day)s, %(now)s
FROM json_each(%(plain)s) v
JOIN findings_evaluation e ON e.finding_id = v.value ->> 0
UNION ALL
SELECT %(kind)s, f.id, COALESCE(%(requested)s, e.unevaluated_since), v.value ->> 'outcome',
    v.value ->> 'rule_id', %(version)s, {facts}, NULL,
    v.value ->> 'case_id', v.value ->> 'used_before', v.value ->> 'reason', %(day)s, %(now)s
FROM json_each(%(rows)s) v
JOIN findings_finding f ON f.id = v.value ->> 'pk'
JOIN findings_evaluation e ON e.finding_id = f.id
ORDER BY 2
"""


def store(
    verdicts: Sequence[Verdict],
    *,
    kind: str,
    rule_set_version: int,
    now: datetime,
    requested_at: datetime | None = None,
    seen: Mapping[int, datetime | None] = MappingProxyType({}),
) -> None:
    """Record one decision for each verdict, as an answer to what was requested then; if nothing
    is said of that, to their evaluation, for which the findings must still wait.

    `seen`: when findings were last seen, those at least whose facts stay in their rows. So most
    decisions are stored without a look at the wide rows of findings.
    """
    is_postgresql = connection.vendor == "postgresql"
    plain = [each for each in verdicts if each.outcome in Decision.WITHOUT_FACTS]
    others = [each for each in verdicts if each.outcome not in Decision.WITHOUT_FACTS]
    at, requested = (_time(moment, naive=not is_postgresql) for moment in (now, requested_at))
    pks, outcomes = [each.finding_pk for each in plain], [each.outcome for each in plain]
    params: dict[str, Any] = {
        "kind": kind,
        "version": rule_set_version,
        "now": at,
        "day": now.date() if is_postgresql else now.date().isoformat(),
        "requested": requested,
        "rows": json.dumps([_row(each, dashes=is_postgresql) for each in others]),
    }
    moments = [_time(seen[pk], naive=not is_postgresql) for pk in pks]
    if is_postgresql:
        params |= {"pks": array(pks), "outcomes": array(outcomes), "seen": array(moments)}
    else:
        params["plain"] = json.dumps(list(zip(pks, outcomes, moments, strict=True)))
    facts = facts_as_json(connection.vendor, of="f", last_seen="e.last_seen_at")
    statement = (_POSTGRESQL if is_postgresql else _SQLITE).format(facts=facts)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


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
