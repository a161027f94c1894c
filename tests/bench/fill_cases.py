"""`python -m tests.bench fill_cases [--count N] [--seed N]`: fills an empty, migrated database with
cases as a large house has them after a year: of several projects, statuses and people, a third of
them due, some archived, many with an issue in Jira, each with one to three findings.

The database is the one of DATABASE_URL; the same arguments make the same cases.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from django.db import connection, transaction  # noqa: E402 - after setup
from django.utils import timezone  # noqa: E402

from config.accounts.models import User  # noqa: E402
from config.accounts.roles import Role  # noqa: E402
from config.lib.rows import store, writer  # noqa: E402
from findings.models import Evaluation, Finding, Source  # noqa: E402
from findings.trends import marks  # noqa: E402
from tests.bench.fill import Laps, _chunks, _drop_indexes, _execute  # noqa: E402
from tests.bench.made_up import TEAMS, MadeUp  # noqa: E402
from tests.bench.made_up_rows import COLUMNS, Rows  # noqa: E402
from tests.factories import JiraAccountFactory, UserFactory  # noqa: E402
from ticketing.models import Attachment, Case, ExternalIssue, JiraAccount, Project  # noqa: E402
from ticketing.projects import create_project  # noqa: E402
from ticketing.states import State  # noqa: E402

CHUNK = 10_000
ME = "me@example.com"
PEOPLE = 30
KEYS = ("SEC", "APP", "CLOUD", "DATA", "OPS", "WEB", "MOBILE", "LEGACY")
_SHARES = (40, 20, 15, 10, 8, 4, 2, 1)  # of the cases, each project in turn
_STATUSES = {"OPEN": 40, "IN_PROGRESS": 10, "CLOSED": 50}
_PRIORITIES = {"NOT_DEFINED": 10, "P1": 5, "P2": 20, "P3": 35, "P4": 20, "P5": 10}
_FINDINGS = {1: 70, 2: 20, 3: 10}
DUE, ASSIGNED, ARCHIVED, IN_JIRA, FAILED = 0.33, 0.6, 0.1, 0.4, 0.01
AT_ONCE = 100  # cases that one bulk change gave the same time


class House(NamedTuple):
    projects: Sequence[Project]
    people: Sequence[User]
    account: JiraAccount


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench fill_cases", description=__doc__)
    parser.add_argument("--count", type=int, default=330_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    if Case.objects.exists():
        raise SystemExit(f"There are cases in {connection.settings_dict['NAME']} already.")
    laps = Laps()
    random, house = Random(given.seed), _house()
    marks.remove(connection)
    indexes = _drop_indexes()
    groups = [_one_of(random, _FINDINGS) for _ in range(given.count)]
    rows = _rows(sum(groups), given.seed)
    numbers = dict.fromkeys(KEYS, 0)
    for sizes in _chunks(groups, CHUNK):
        with transaction.atomic():
            _make_cases(sizes, rows, house, numbers, random)
    for project in house.projects:
        Project.objects.filter(pk=project.pk).update(last_number=numbers[project.key])
    laps.lap("cases")
    _execute(indexes)
    marks.install(connection)
    laps.lap("indexes")
    _execute(["VACUUM ANALYZE"] if connection.vendor == "postgresql" else ["ANALYZE"])
    laps.lap("vacuum, analyze")
    for step, took in laps.seconds.items():
        sys.stdout.write(f"{step:<16}{took:8.1f} s\n")
    return 0


def _house() -> House:
    team = MadeUp.team(0)
    me = UserFactory(email=ME, name="Mia Me", role=Role.ADMIN, team=team)
    others = [UserFactory(team=MadeUp.team(n % TEAMS)) for n in range(PEOPLE)]
    projects = [create_project(key=key, name=f"The {key}", actor=None) for key in KEYS]
    return House(projects, [me, *others], JiraAccountFactory())


def _rows(count: int, seed: int) -> Iterator[tuple[Any, ...]]:
    """Findings without a ticket, as `COLUMNS`, when last seen and when decided."""
    source = Source.objects.get_or_create(name="bench")[0]
    return iter(Rows(count, seed=seed, rules=[], source_id=source.pk, now=timezone.now()))


def _make_cases(
    sizes: Sequence[int],
    rows: Iterator[tuple[Any, ...]],
    house: House,
    numbers: dict[str, int],
    random: Random,
) -> None:
    """A case for each of `sizes`, which says how many findings it has."""
    found = [next(rows) for _ in range(sum(sizes))]
    pks = writer().reserve_keys(Finding, len(found))
    keyed = list(zip(pks, found, strict=True))
    writer().insert(Finding, ("id", *COLUMNS), ((pk, *row[:-2]) for pk, row in keyed))
    evaluations = ((pk, *row[-2:]) for pk, row in keyed)
    writer().insert(Evaluation, ("finding_id", "last_seen_at", "decided_at"), evaluations)
    cases, attached, left = [], [], iter(keyed)
    for size in sizes:
        findings = [next(left) for _ in range(size)]
        cases.append(
            _case(dict(zip(COLUMNS, findings[0][1], strict=False)), house, numbers, random)
        )
        attached += [Attachment(finding_id=pk, case_id=cases[-1].pk) for pk, _ in findings]
    for start in range(0, len(cases), AT_ONCE * 10):
        at = cases[start].modified_at
        for case in cases[start : start + AT_ONCE]:
            case.modified_at = at
    store(cases)
    store(attached)
    store(_issue(case, house, random) for case in cases if random.random() < IN_JIRA)


def _case(finding: dict[str, Any], house: House, numbers: dict[str, int], random: Random) -> Case:
    now, project = timezone.now(), random.choices(house.projects, _SHARES)[0]
    numbers[project.key] += 1
    created = finding["opened_at"]
    modified = created + (now - created) * random.random() ** 4
    status = _one_of(random, _STATUSES)
    by_rule = random.random() < 0.8
    return Case(
        pk=UUID(int=random.getrandbits(128)),
        project=project,
        number=numbers[project.key],
        key=f"{project.key}-{numbers[project.key]}",
        title=finding["title"],
        description=finding["description"],
        status=status,
        priority=_one_of(random, _PRIORITIES),
        assignee=random.choice(house.people) if random.random() < ASSIGNED else None,
        due_date=(now + timedelta(days=random.randrange(-90, 180))).date()
        if random.random() < DUE
        else None,
        origin="rule" if by_rule else "manual",
        rule_id=UUID(int=10_000 + random.randrange(96)) if by_rule else None,
        rule_name="Criticals of a team" if by_rule else "",
        created_at=created,
        modified_at=modified,
        closed_at=modified if status == "CLOSED" else None,
        archived_at=modified if random.random() < ARCHIVED else None,
    )


def _issue(case: Case, house: House, random: Random) -> ExternalIssue:
    return ExternalIssue(
        case_id=case.pk,
        account=house.account,
        space_id="10000",
        space_key="JSEC",
        type_id="10001",
        fields={"summary": case.title, "labels": ["security"]},
        state=State.CREATED,
        issue_id=case.key,
        issue_key=f"J{case.key}",
        delivered_at=case.created_at,
        sync_problem="A field is required." if random.random() < FAILED else "",
        synced_at=case.modified_at,
    )


def _one_of(random: Random, shares: dict[Any, int]) -> Any:
    return random.choices(list(shares), list(shares.values()))[0]
