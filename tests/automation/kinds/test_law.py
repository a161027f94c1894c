"""Whatever the rules and the findings are, and whatever happens to them: what a finding becomes
is what the law says, as `naive` spells it out, and *Why?* names the same rules."""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from types import MappingProxyType

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings

from automation.decisions.steps import explain_steps
from automation.kinds.registry import ORDER
from automation.models import Decision, Rule
from automation.pipeline import evaluate_all
from automation.recheck import recheck
from automation.rules import services
from automation.rules.active import _load, all_active_rules
from automation.rules.data import InvalidRule
from config.lib.utc import epoch_ms
from findings import inbox, overrides
from findings import services as findings
from findings.facts import Status
from findings.models import Finding, FindingEvent
from findings.mute_expiry import wake_muted
from findings.services import record
from tests.automation.kinds import naive, strategies
from tests.automation.kinds.strategies import PROJECT, START
from tests.factories import ProjectFactory, SourceFactory, UserFactory, reported

pytestmark = pytest.mark.django_db
careful = settings(
    max_examples=int(os.environ.get("EXAMPLES", "20")),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def refused_if_expired(action, before=MappingProxyType({})):
    """Nobody may say an expiry that is past, unless the rule has it already."""
    moment = getattr(action, "expire_at", None)
    if moment in (None, before.get("expire_at")) or moment > epoch_ms(timezone.now()):
        return nullcontext()
    return pytest.raises(InvalidRule, match="provide an expiration date in the future")


class World:
    def __init__(self, clock, rule_sets, said):
        self.clock, self.source, self.said = clock, SourceFactory(), list(said)
        ProjectFactory(pk=PROJECT)
        for rules in rule_sets.values():
            for rule in rules:
                self.create(rule)
        for number in range(len(said)):
            self._record(number)
        evaluate_all()

    def _record(self, number):
        fields = self.said[number]
        tags = list(fields["tags"])
        record(reported(prefix=f"f{number}", **fields | {"tags": tags}), source=self.source)

    def finding(self, number):
        pks = Finding.objects.order_by("pk").values_list("pk", flat=True)
        return [pks[number % len(pks)]]

    def rule(self, kind, number):
        rules = list(Rule.objects.filter(kind=kind))
        return rules[number % len(rules)] if rules else None

    def create(self, data):
        with refused_if_expired(data.action):
            services.create_rule(data, actor=None)

    def edit(self, number, data):
        if rule := self.rule(data.kind, number):
            with refused_if_expired(data.action, rule.action):
                services.edit_rule(rule.pk, data, actor=None)

    def delete(self, kind, number):
        if rule := self.rule(kind, number):
            services.delete_rule(rule.pk, actor=None)

    def toggle(self, kind, number):
        if rule := self.rule(kind, number):
            turn = services.disable_rule if rule.enabled else services.enable_rule
            turn(rule.pk, actor=None)

    def move(self, kind, number, to):
        if rule := self.rule(kind, number):
            services.move_rule(rule.pk, to=to, actor=None)

    def severity(self, number, severity):
        overrides.change_severity(self.finding(number), severity=severity, actor=None)

    def mute(self, number):
        findings.mute(self.finding(number), reason="other", actor=self.person)

    def unmute(self, number):
        findings.unmute(self.finding(number), actor=self.person)

    def inbox(self, number, choice):
        inbox.choose(self.finding(number), choice=choice, actor=self.person)

    def work(self, number):
        self._change(number, Status.IN_PROGRESS)

    def resolve(self, number):
        self._change(number, Status.RESOLVED)

    def reopen(self, number):
        self._change(number, Status.OPEN)

    def _change(self, number, status):
        findings.change_status(self.finding(number), status=status, actor=self.person)

    def wait(self, hours):
        self.clock.shift(timedelta(hours=hours))
        wake_muted(timezone.now())

    def report(self, number, severity):
        number %= len(self.said)
        self.said[number] = self.said[number] | {"severity": severity}
        self._record(number)

    def recheck(self):
        evaluate_all()
        assert recheck()


@contextmanager
def new_world(rule_sets, said):
    with transaction.atomic(), time_machine.travel(START, tick=False) as clock:
        _load.cache_clear()
        made = World(clock, rule_sets, said)
        made.person = UserFactory()
        yield made
        transaction.set_rollback(True)


def specs():
    return {kind: active.specs for kind, active in all_active_rules().items()}


def expected():
    """Primary key → what each finding is to be; those that are closed stay as they are."""
    rules, now = specs(), timezone.now()
    return {
        finding.pk: _row(finding)
        if finding.status in ("resolved", "auto_closed")
        else naive.answer(rules, finding, now)
        for finding in Finding.objects.order_by("pk")
    }


def _row(finding):
    names = ("severity", "status", "is_in_inbox", "due_at", "severity_rule_id", "inbox_rule_id")
    return {name: getattr(finding, name) for name in names}


def check(answers):
    for finding in Finding.objects.order_by("pk"):
        answer = answers[finding.pk]
        if isinstance(answer, dict):
            assert _row(finding) == answer
            continue
        due_on = finding.due_at and finding.due_at.date()
        reason = finding.workflow["mute"]["reason"] if finding.mute_rule_id else ""
        assert finding.severity == answer.severity
        assert (finding.status, reason) == (answer.status, answer.mute_reason)
        assert finding.is_in_inbox == answer.is_in_inbox
        assert due_on == answer.due_on
        _check_rules(finding, answer)


def _check_rules(finding, answer):
    """Those that act are named on the finding, and *Why?* says which matched."""
    held = {
        "severity_modifier": finding.severity_rule_id,
        "mute": finding.mute_rule_id,
        "inbox": finding.inbox_rule_id,
        "due_date": finding.due_rule_id,
    }
    acts = {
        "severity_modifier": True,
        "mute": bool(answer.mute_reason),
        "inbox": not finding.inbox_choice,
        "due_date": answer.due_on is not None,
    }
    wanted = {kind: (acts[kind] and answer.rules.get(kind)) or None for kind in held}
    assert {kind: str(held[kind]) if held[kind] else None for kind in held} == wanted
    steps = {step.kind.name: step.matched for step in explain_steps(finding)}
    said = {kind: step.rule.id if step else None for kind, step in steps.items()}
    assert said == {kind: answer.rules.get(kind) for kind in held}


def everything():
    return [
        list(model.objects.order_by("pk").values()) for model in (Finding, FindingEvent, Decision)
    ]


@careful
@given(strategies.rule_sets, strategies.findings)
def test_new_findings_become_what_the_law_says(rule_sets, said):
    with new_world(rule_sets, said):
        decided = dict(
            Decision.objects.filter(kind=ORDER[-1].name).values_list("finding", "outcome")
        )
        answers = expected()
        assert decided == {pk: answer.ticket for pk, answer in answers.items()}
        check(answers)


@careful
@given(strategies.rule_sets, strategies.findings, strategies.lives)
def test_whatever_happens_a_recheck_makes_it_so_and_a_second_one_does_nothing(
    rule_sets, said, life
):
    with new_world(rule_sets, said) as world:
        for name, *details in life:
            getattr(world, name)(*details)
        evaluate_all()
        world.clock.shift(timedelta(hours=2))
        wake_muted(timezone.now())
        answers = expected()
        assert recheck()
        check(answers)
        before = everything()
        world.clock.shift(timedelta(hours=2))
        assert recheck()
        assert everything() == before
        check(expected())
