"""Everything at once, on PostgreSQL, where transactions really run side by side."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.models import F

from automation.decisions.conservation import violations
from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule
from automation.pipeline import evaluate_all, evaluate_chunk
from automation.rules import services
from findings.facts import Status
from findings.models import Finding
from findings.services import change_status, record
from tests.factories import FindingFactory, ProjectFactory, SourceFactory, reported
from ticketing.following import follow_findings
from ticketing.models import Attachment, Case
from ticketing.services import attach, change_case, detach, move, open_manual_case

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, SECONDS = 8, 8


@pytest.fixture(autouse=True)
def _postgresql():
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs one writing transaction after another")


def _until_somebody_waits():
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    pytest.fail("nobody waits")


def _in_a_thread(pool, command):
    def run():
        try:
            return command()
        finally:
            connection.close()

    return pool.submit(run)


def test_it_attaches_to_a_case_that_moves_meanwhile():
    case = open_manual_case([FindingFactory().pk], project=ProjectFactory(), actor=None)
    other, finding = ProjectFactory(key="OPS"), FindingFactory()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            move(case, other, actor=None)
            attaching = _in_a_thread(pool, lambda: attach(case, [finding.pk], actor=None))
            _until_somebody_waits()
        attaching.result(timeout=10)
    finding.refresh_from_db()
    assert finding.ticket_key == "OPS-1"


class Crowd:
    """One of many that do anything, in an order of its own, on the same few rows."""

    def __init__(self, seed, projects, rules):
        self.random, self.projects, self.rules = random.Random(seed), projects, rules
        self.source = SourceFactory()

    def findings(self):
        pks = list(Finding.objects.values_list("pk", flat=True)[:25])
        return self.random.sample(pks, min(3, len(pks)))

    def case(self):
        return self.random.choice(Case.objects.order_by("number")[:8])

    def report(self):
        prefix, severity = f"p{self.random.randrange(5)}", self.random.choice(["low", "high"])
        record(reported(10, prefix=prefix, severity=severity), source=self.source)

    def change_rules(self):
        rules = self.random.sample(self.rules, len(self.rules))
        services.reorder(NAME, rules, actor=None)
        switch = self.random.choice([services.enable_rule, services.disable_rule])
        switch(rules[0], actor=None)

    def act(self):
        any_of = self.random.choice
        any_of(
            [
                evaluate_chunk,
                self.report,
                self.change_rules,
                follow_findings,
                lambda: open_manual_case(
                    self.findings(), project=any_of(self.projects), actor=None
                ),
                lambda: attach(self.case(), self.findings(), actor=None),
                lambda: detach(self.findings(), actor=None),
                lambda: change_case(self.case(), status=any_of(Case.Status.values), actor=None),
                lambda: move(self.case(), any_of(self.projects), actor=None),
                lambda: change_status(
                    self.findings(), status=any_of([Status.OPEN, Status.RESOLVED]), actor=None
                ),
            ]
        )()


@pytest.mark.slow
def test_it_neither_deadlocks_nor_loses_anything_when_all_happens_at_once(make_rule, project):
    make_rule("One", limit=5), make_rule("Two", limit=500)
    projects, rules = [project, ProjectFactory()], list(Rule.objects.values_list("pk", flat=True))
    Crowd(0, projects, rules).report()
    evaluate_all()
    ends = time.monotonic() + SECONDS

    def run(seed):
        crowd = Crowd(seed, projects, rules)
        while time.monotonic() < ends:
            crowd.act()

    with ThreadPoolExecutor(THREADS) as pool:
        crowds = [_in_a_thread(pool, lambda seed=seed: run(seed)) for seed in range(THREADS)]
        for crowd in crowds:
            crowd.result()
    evaluate_all()
    assert list(violations()) == []
    assert not Attachment.objects.exclude(finding__ticket_key=F("case__key")).exists()
