"""`python -m tests.bench fill [--count N] [--seed N]`: fills an empty, migrated database with
findings as a large house has them after a year, with tickets, rules, decisions and counts of days.

The database is the one of DATABASE_URL; the same arguments make the same findings.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from time import perf_counter
from typing import Any
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from django.db import connection, transaction  # noqa: E402 - after setup
from django.utils import timezone  # noqa: E402

from automation.decisions.store import store as store_decisions  # noqa: E402
from automation.kinds.base import Verdict  # noqa: E402
from automation.models import Decision  # noqa: E402
from automation.rules.services import current_version, replace_rules  # noqa: E402
from config.lib.rows import store, writer  # noqa: E402
from findings.facts import FindingType  # noqa: E402
from findings.models import Evaluation, Finding, Source  # noqa: E402
from findings.trends import marks, rollups  # noqa: E402
from tests.bench.made_up import TEAMS, MadeUp  # noqa: E402
from tests.bench.made_up_rows import COLUMNS, DAYS, MadeCase, Rows  # noqa: E402
from tests.factories import ticket_rule  # noqa: E402
from ticketing.models import Attachment, Case, Project  # noqa: E402
from ticketing.projects import create_project  # noqa: E402

RULES, CHUNK, DECISIONS_AT_ONCE = 96, 20_000, 5_000
KIND = "ticket_creation"
TABLE = Finding._meta.db_table
Outcome = Decision.Outcome


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench fill", description=__doc__)
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rules", type=int, default=RULES)
    parser.add_argument("--without-decisions", action="store_true")
    given = parser.parse_args(arguments)
    seconds = fill(
        given.count, given.seed, rules=given.rules, decisions=not given.without_decisions
    )
    for step, took in seconds.items():
        sys.stdout.write(f"{step:<16}{took:8.1f} s\n")
    return 0


def fill(
    count: int, seed: int = 1, *, rules: int = RULES, decisions: bool = True
) -> Mapping[str, float]:
    """Seconds by step."""
    if Finding.objects.exists():
        raise SystemExit(f"There are findings in {connection.settings_dict['NAME']} already.")
    laps = Laps()
    project = create_project(key="SEC", name="Security", actor=None)
    made = make_rules(rules, project)
    source = Source.objects.get_or_create(name="bench")[0]
    laps.lap("rules")
    rows = Rows(count, seed=seed, rules=made, source_id=source.pk, now=timezone.now())
    laps.lap("problems, places")
    marks.remove(connection)
    indexes = _drop_indexes()
    for chunk in _chunks(rows, CHUNK):
        with transaction.atomic():
            keys = writer().reserve_keys(Finding, len(chunk))
            rows_of_chunk = list(zip(keys, chunk, strict=True))
            writer().insert(
                Finding, ("id", *COLUMNS), ((key, *row[:-2]) for key, row in rows_of_chunk)
            )
            writer().insert(
                Evaluation,
                ("finding_id", "last_seen_at", "decided_at"),
                ((key, *row[-2:]) for key, row in rows_of_chunk),
            )
    laps.lap("findings")
    _execute(indexes)
    laps.lap("indexes")
    _make_cases(rows.cases, project)
    laps.lap("cases")
    if decisions:
        _decide(rows.cases)
        laps.lap("decisions")
    marks.install(connection)
    while not rollups.refresh(at_most=2 * DAYS):
        pass
    laps.lap("counts of days")
    _execute(["VACUUM ANALYZE"] if connection.vendor == "postgresql" else ["ANALYZE"])
    laps.lap("vacuum, analyze")
    return laps.seconds


class Laps:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, step: str) -> None:
        now = perf_counter()
        self.seconds[step] = now - self._last
        self._last = now


def make_rules(count: int, project: Project) -> list[tuple[UUID, str]]:
    """Enabled rules, each of a team and a severity; the list is exactly these afterwards."""
    wanted = []
    for number in range(count):
        team = MadeUp.team(number % TEAMS)
        severity = ("critical", "high", "medium", "low")[number // TEAMS % 4]
        data = ticket_rule(
            name=f"Rule {number}: {severity} of {team}",
            finding_types=[kind.value for kind in FindingType],
            query=f"team:{team} @severity:{severity} @cvss.score:>{number % 9}",
            project_id=project.pk,
            max_tickets_per_day=10,
        )
        wanted.append((UUID(int=10_000 + number), data))
    replace_rules(KIND, wanted, version=current_version(KIND), actor=None)
    return [(pk, data.name) for pk, data in wanted]


def _make_cases(cases: Sequence[MadeCase], project: Project) -> None:
    pks = dict(
        Finding.objects.exclude(ticket_key="").values_list("ticket_key", "pk").iterator(CHUNK)
    )
    for some in _chunks(cases, CHUNK):
        store(
            Case(
                pk=case.case_id,
                project=project,
                number=case.number,
                key=case.key,
                title=case.title,
                status=case.status,
                origin="rule" if case.rule else "manual",
                rule_id=case.rule[0] if case.rule else None,
                rule_name=case.rule[1] if case.rule else "",
                created_at=case.created_at,
                modified_at=case.created_at,
                closed_at=case.created_at if case.is_closed else None,
            )
            for case in some
        )
        store(
            Attachment(
                finding_id=pks[case.key],
                case_id=case.case_id,
                finding_is_open=not case.is_closed,
                created_at=case.created_at,
            )
            for case in some
        )
    Project.objects.filter(pk=project.pk).update(last_number=len(cases))


def _decide(cases: Iterable[MadeCase]) -> None:
    """One decision of each finding, as the product stores them."""
    by_key = {case.key: case for case in cases}
    found = Finding.objects.order_by("pk").values_list(
        "pk",
        "ticket",
        "ticket_key",
        "ticket_rule_id",
        "evaluation__last_seen_at",
        "evaluation__decided_at",
    )
    version = current_version(KIND)
    for rows in _chunks(found.iterator(CHUNK), DECISIONS_AT_ONCE):
        verdicts = [_verdict(by_key, *row[:4]) for row in rows]
        at = rows[0][-1]
        seen = {row[0]: row[4] for row in rows}
        with transaction.atomic():
            store_decisions(
                verdicts,
                kind=KIND,
                rule_set_version=version,
                now=at,
                requested_at=at,
                seen=seen,
            )


def _verdict(
    by_key: Mapping[str, MadeCase], pk: int, ticket: str, key: str, rule_id: UUID | None
) -> Verdict:
    if ticket == "automated":
        return Verdict(pk, Outcome.TICKETED, rule_id, by_key[key].case_id, used_before=0)
    if ticket == "over_limit":
        return Verdict(pk, Outcome.OVER_LIMIT, rule_id, used_before=10)
    return Verdict(pk, Outcome.NO_MATCH)


def _drop_indexes() -> list[str]:
    """The statements that make them again; with none the rows of a large table are written in
    a third of the time. What a constraint needs stays, and on SQLite all."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [TABLE],
        )
        found = cursor.fetchall()
        for name, _ in found:
            cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _, definition in found]


def _execute(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(rows)
    while chunk := list(islice(left, size)):
        yield chunk
