"""Rules meet what is there while workers die, and while everybody else is at work."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from automation.decisions.conservation import violations
from automation.kinds.due_date.action import DueDays, DueFrom, SetDueDate
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.severity.action import Level, SetSeverity
from automation.models import Decision, EvaluationAttempt, Recheck, Rule
from automation.pipeline import evaluate_all
from automation.recheck import recheck
from automation.rules import services
from automation.rules.active import all_active_rules
from automation.rules.data import RuleData
from findings import inbox, overrides
from findings import services as findings
from findings.facts import Severity
from findings.models import Finding, FindingEvent
from findings.mute_expiry import wake_muted
from findings.services import record
from tests.automation.kinds import naive
from tests.factories import ProjectFactory, SourceFactory, reported, ticket_rule
from tests.flows.test_hostile_death import LONG_AGO, DatabaseGone, dying_at

SECONDS = 4
ACTIONS = {
    "@severity_details.adjusted.value:low": SetSeverity(severity=Level.CRITICAL),
    "env:dev": MuteFinding(reason=Reason.RISK_ACCEPTED),
    "@severity:critical": AddToInbox(),
    "-env:dev": SetDueDate(
        due_from=DueFrom.FIRST_SEEN,
        due_days_per_severity=[DueDays(severity=Severity.CRITICAL, due_in_days=7)],
    ),
}


def rule_of(query, action, name="R"):
    types = ["library_vulnerability"]
    return RuleData(name=name, finding_types=types, query=query, action=action)


def make_rules():
    return [services.create_rule(rule_of(*said), actor=None) for said in ACTIONS.items()]


def report(number=2, prefix="r"):
    for env in ("dev", "prod"):
        for severity in ("low", "high"):
            said = {"severity": severity, "tags": (f"env:{env}",)}
            record(
                reported(number, prefix=f"{prefix}-{env}-{severity}", **said),
                source=SourceFactory(),
            )


def shape():
    columns = ("severity", "status", "is_in_inbox", "due_at", "mute_rule_id")
    return {
        "findings": list(
            Finding.objects.order_by("pk").values_list(*columns, "evaluation__recheck_since")
        ),
        "events": sorted(FindingEvent.objects.values_list("finding", "kind", "before", "after")),
        "decisions": sorted(Decision.objects.values_list("finding", "kind", "outcome")),
        "passes": list(Recheck.objects.values_list("done", "total", "started_at")),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("command", [recheck, evaluate_all])
def test_rules_act_once_on_each_finding_wherever_a_worker_is_killed(command, frozen, monkeypatch):
    monkeypatch.setattr("automation.recheck.CHUNK", 5)
    report()
    if command is recheck:
        evaluate_all()
    make_rules()
    with transaction.atomic():
        assert command()
        undisturbed = shape()
        transaction.set_rollback(True)
    assert len(undisturbed["decisions"]) > 8
    statement, is_killed = 0, True
    while is_killed:
        with transaction.atomic():
            try:
                with dying_at(statement):
                    is_killed = not command()
            except DatabaseGone:
                statement += 1
                transaction.set_rollback(False)  # the statement never reached the database
            EvaluationAttempt.objects.update(started_at=LONG_AGO)
            assert command()
            assert shape() == undisturbed, f"statement {statement}"
            transaction.set_rollback(True)
    assert statement > 20


class Crowd:
    """One of many that do anything, in an order of its own, to the same few findings."""

    def __init__(self, seed, rules):
        self.random, self.rules, self.seed, self.number = random.Random(seed), rules, seed, 0

    def some(self):
        pks = list(Finding.objects.values_list("pk", flat=True))
        return self.random.sample(pks, min(5, len(pks)))

    def evaluate(self):
        evaluate_all(seconds=1)

    def look_again(self):
        Recheck.objects.update(finished_at=None)
        recheck(seconds=1)

    def wake(self):
        wake_muted(timezone.now())

    def report_the_same(self):
        report()

    def report_new(self):
        self.number += 1
        report(1, prefix=f"n{self.seed}-{self.number}")

    def edit(self):
        pk, data = self.random.choice(self.rules)
        name = self.random.choice("ABC")
        services.edit_rule(pk, RuleData(**data | {"name": name}), actor=None)

    def switch(self):
        rule = self.random.choice(list(Rule.objects.all()))
        turn = services.disable_rule if rule.enabled else services.enable_rule
        turn(rule.pk, actor=None)

    def person(self):
        deed = self.random.randrange(4)
        if deed == 0:
            overrides.set_severity(self.some(), severity=Severity.LOW, actor=None)
        elif deed == 1:
            findings.mute(self.some(), reason="other", actor=None)
        elif deed == 2:
            findings.unmute(self.some(), actor=None)
        else:
            inbox.choose(self.some(), choice="added", actor=None)

    def live(self, until):
        deeds = [self.evaluate, self.look_again, self.wake, self.report_the_same]
        deeds += [self.report_new, self.edit, self.switch, self.person]
        try:
            while time.monotonic() < until:
                self.random.choice(deeds)()
        finally:
            connection.close()


def check_the_law():
    specs = {kind: active.specs for kind, active in all_active_rules().items()}
    for finding in Finding.objects.all():
        answer = naive.answer(specs, finding, timezone.now())
        is_so = (finding.severity, finding.status, finding.is_in_inbox)
        assert is_so == (answer.severity, answer.status, answer.is_in_inbox)


@pytest.mark.django_db(transaction=True)
def test_it_never_deadlocks_and_says_in_the_end_what_the_law_says():
    """A broken ticket rule is switched on again and again: chunks lock its rule set, too."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite runs one writing transaction after another")
    report()
    made = [
        (made.pk, {"query": query, "action": action, "finding_types": made.finding_types})
        for made, (query, action) in zip(make_rules(), ACTIONS.items(), strict=True)
    ]
    for project in ("11111111-1111-1111-1111-111111111111", ProjectFactory().pk):
        said = {"finding_types": ["library_vulnerability"], "project_id": project}
        services.create_rule(
            ticket_rule(name=f"T {project}", max_tickets_per_day=100, **said), actor=None
        )
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(6) as pool:
        crowd = [pool.submit(Crowd(seed, made).live, until) for seed in range(6)]
        for each in crowd:
            each.result(timeout=60)
    evaluate_all()
    Recheck.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    assert recheck()
    check_the_law()
    assert list(violations()) == []
