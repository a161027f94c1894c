"""Everything at once on the tickets of a few groups, on PostgreSQL."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Count, F
from django.utils import timezone

from automation.decisions.conservation import violations
from automation.kinds.ticket_creation.action import NAME
from automation.models import Decision, Rule
from automation.pipeline import evaluate_all, evaluate_chunk
from automation.rules import services as rules
from findings.facts import Status
from findings.models import Finding
from findings.services import change_status, record
from tests.factories import ExternalIssueFactory, ProjectFactory, SourceFactory, reported
from tests.flows.test_hostile_together import _in_a_thread
from ticketing import services
from ticketing.following import follow_findings
from ticketing.groups import refresh_due
from ticketing.models import Attachment, Case, CaseGroup, ExternalIssue
from ticketing.states import State
from ticketing.taking import locked_issue
from ticketing.timeline import Kind, tell

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, LONG = 8, timedelta(hours=2)
SECONDS = int(os.environ.get("CROWD_SECONDS", "8"))


@pytest.fixture(autouse=True)
def _postgresql(monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs one writing transaction after another")
    for module in ("ticketing.groups", "automation.kinds.ticket_creation.groups"):
        monkeypatch.setattr(f"{module}.MAX_FINDINGS_OF_GROUP", 30)


def hasten_deadlocks():
    """Found after 20 ms and not after a second, so that none is a mere delay."""
    with connection.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '20ms'")


class Crowd:
    """One of many that do anything to the same few tickets."""

    def __init__(self, seed, projects):
        self.random, self.projects, self.seed = random.Random(seed), projects, seed
        self.source, self.reported = SourceFactory(), 0
        self.done: dict[str, int] = {}

    def case(self):
        return self.random.choice(Case.objects.order_by("-number")[:6])

    def findings(self, number=3):
        pks = list(Finding.objects.order_by("-pk").values_list("pk", flat=True)[:60])
        return self.random.sample(pks, min(number, len(pks)))

    def report(self):
        self.reported += 1
        name = self.random.choice("abcde")
        said = {"package": {"name": name}, "n": self.reported}
        prefix = f"{self.seed}-{self.reported}-{name}"
        severity = self.random.choice(["low", "critical"])
        record(reported(4, prefix=prefix, attributes=said, severity=severity), source=self.source)

    def evaluate(self):
        evaluate_chunk(self.random.choice([5, 40, 1_000]))

    def attach(self):
        services.attach(self.case(), self.findings(), actor=None)

    def detach(self):
        services.detach(self.findings(), actor=None)

    def split(self):
        project = self.random.choice(self.projects)
        services.open_case_each(self.findings(2), project=project, actor=None)

    def close(self):
        status = self.random.choice(Case.Status.values)
        services.change_case(self.case(), actor=None, status=status)

    def archive(self):
        turn = self.random.choice([services.archive, services.unarchive])
        turn(self.case(), actor=None)

    def move(self):
        services.move(self.case(), self.random.choice(self.projects), actor=None)

    def resolve(self):
        status = self.random.choice([Status.OPEN, Status.RESOLVED])
        change_status(self.findings(6), status=status, actor=None)

    def follow(self):
        follow_findings()

    def refresh(self):
        CaseGroup.objects.filter(added__gt=0).update(commented_at=timezone.now() - LONG)
        refresh_due()

    def sync(self):
        """As the sync, which takes what Jira says and then tells of what it wrote there."""
        issue = self.random.choice(ExternalIssue.objects.order_by("?")[:1])
        services.change_case(issue.case, actor=None, title=f"Ours {self.reported}")
        _tell(issue)

    def rules(self):
        listed = list(Rule.objects.filter(kind=NAME).order_by("?").values_list("pk", flat=True))
        rules.reorder(NAME, listed, actor=None)

    def act(self):
        acts = ["report", "report", "evaluate", "evaluate", "attach", "detach", "split", "close"]
        acts += ["archive", "move", "resolve", "follow", "refresh", "sync", "rules"]
        name = self.random.choice(acts)
        getattr(self, name)()
        self.done[name] = self.done.get(name, 0) + 1


def _tell(issue):
    with transaction.atomic():
        held = locked_issue(issue.pk)
        tell([(held.case, Kind.ISSUE, "", held.issue_key)], now=timezone.now())


def give_issues():
    """Some of the cases have an issue in Jira, which is told of changes."""
    for number, case in enumerate(Case.objects.filter(external_issues=None)[:3]):
        said = {"state": State.CREATED, "issue_id": f"{case.pk}", "issue_key": f"J-{number}"}
        ExternalIssueFactory(case=case, **said)


def mingle(seconds, projects):
    """Returns how often each thing was done; raises what any of them raised."""
    ends = time.monotonic() + seconds

    def run(seed):
        hasten_deadlocks()
        crowd = Crowd(seed, projects)
        while time.monotonic() < ends:
            crowd.act()
        return crowd.done

    with ThreadPoolExecutor(THREADS) as pool:
        running = [_in_a_thread(pool, lambda seed=seed: run(seed)) for seed in range(THREADS)]
        return sum((Counter(each.result()) for each in running), Counter())


@pytest.mark.slow
def test_groups_neither_deadlock_nor_lose_anything_when_all_happens_at_once(make_rule, project):
    make_rule("One", query="@severity:critical", group_by=["package"], limit=500)
    make_rule("Two", group_by=["package"], reopens_closed=True, limit=7)
    projects = [project, ProjectFactory()]
    crowd = Crowd(99, projects)
    for _ in range(8):
        crowd.report()
    evaluate_all()
    give_issues()
    done = mingle(SECONDS, projects)
    assert set(done) >= {"evaluate", "refresh", "attach", "move", "follow"}
    check()


def check():
    evaluate_all()
    follow_findings()
    refresh_due()
    assert not CaseGroup.objects.filter(refresh_since__isnull=False).exists()
    assert list(violations()) == []
    assert not Attachment.objects.exclude(finding__ticket_key=F("case__key")).exists()
    assert not Decision.objects.filter(outcome="error").exists()
    sizes = CaseGroup.objects.annotate(size=Count("case__attachments"))
    assert not sizes.filter(takes_more=True, size=0).exists()
