"""No finding and no rule stops the evaluation of the others, whatever they do to it."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from automation import attempts, pipeline
from automation.bisection import ChunkError
from automation.decisions.conservation import violations
from automation.decisions.explain import reason_without_ticket
from automation.engine import compile as compile_module
from automation.engine.compile import CompiledRules
from automation.kinds.ticket_creation import apply, limits
from automation.models import Decision, EvaluationAttempt, Rule, RuleCheck, RuleSetVersion
from automation.pipeline import evaluate_all, evaluate_chunk
from automation.rules.versions import rules_at
from findings.models import Finding

pytestmark = pytest.mark.django_db
CULPRIT = "culprit"


class Killed(BaseException):
    """A worker that is killed runs no handler of ours."""


def raises_for_culprit(original, title_of, error):
    def step(*args, **kwargs):
        if CULPRIT in title_of(*args):
            raise error
        return original(*args, **kwargs)

    return step


def titles_in(thing):
    return repr(thing)


STEPS = {
    "engine": (pipeline, "first_match", lambda _, __, finding, **___: finding.facts.title),
    "ticket's words": (apply, "draft_of", lambda _, facts, **__: facts.title),
    "case creation": (apply, "open_cases", titles_in),
    "decision storing": (
        pipeline,
        "store_decisions",
        lambda verdicts, **_: (
            " ".join(
                Finding.objects.filter(pk__in=[each.finding_pk for each in verdicts]).values_list(
                    "title", flat=True
                )
            )
            if [each for each in verdicts if each.outcome != "error"]
            else ""
        ),
    ),
}


def break_step(monkeypatch, name, error):
    target, attribute, title_of = STEPS[name]
    step = raises_for_culprit(getattr(target, attribute), title_of, error)
    monkeypatch.setattr(target, attribute, step)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("error", [ValueError("odd"), RecursionError(), KeyError("x")])
def test_it_sets_the_one_finding_aside_that_raises(name, error, make_rule, report, monkeypatch):
    make_rule(limit=40)
    report(30, prefix="a")
    report(1, prefix="c", title=CULPRIT)
    report(30, prefix="b")
    break_step(monkeypatch, name, error)
    evaluate_all()
    culprit = Finding.objects.get(title=CULPRIT)
    reason = f"Evaluating it failed ({type(error).__name__}); the log says more."
    decision = Decision.objects.get(finding=culprit)
    assert (decision.outcome, decision.rule_id, decision.reason) == ("error", None, reason)
    assert reason_without_ticket(culprit) == reason
    assert Decision.objects.filter(outcome__in=["ticketed", "over_limit"]).count() == 60
    assert list(violations()) == []


def test_it_sets_nothing_aside_when_the_database_is_away(make_rule, report, monkeypatch):
    make_rule()
    report(3, title=CULPRIT)
    break_step(monkeypatch, "engine", OperationalError("gone"))
    with pytest.raises(OperationalError):
        evaluate_all()
    assert not Decision.objects.exists()
    assert not EvaluationAttempt.objects.exists()


def test_it_sets_nothing_aside_while_everything_fails(make_rule, report, monkeypatch):
    make_rule(limit=500)
    report(40, title=CULPRIT)
    monkeypatch.setattr(pipeline, "CHUNK", 12)
    break_step(monkeypatch, "engine", ValueError("a fault of ours"))
    for _ in range(2):
        with pytest.raises(ChunkError):
            evaluate_all()
    assert not Decision.objects.exists()
    assert Rule.objects.get().enabled
    report(1, prefix="sound")
    evaluate_all()
    assert outcomes() == {"error": 40, "ticketed": 1}


def outcomes():
    return Counter(Decision.objects.values_list("outcome", flat=True))


class Clock:
    """Each look at it takes a twentieth of a second; a transaction looks twice or oftener."""

    now = 0.0

    def monotonic(self):
        self.now += 0.05
        return self.now


@pytest.mark.parametrize("before", [0, 100, 200])
def test_it_goes_on_however_many_findings_in_front_fail(before, make_rule, report, monkeypatch):
    make_rule(limit=500)
    report(before, prefix="c", title=CULPRIT)
    report(5, prefix="sound")
    report(200 - before, prefix="d", title=CULPRIT)
    monkeypatch.setattr(pipeline, "CHUNK", 50)
    monkeypatch.setattr(pipeline, "time", clock := Clock())
    monkeypatch.setattr("automation.bisection.time", clock)
    break_step(monkeypatch, "engine", ValueError("odd"))
    for _ in range(40):  # wake-ups, a minute apart at most
        with suppress(ChunkError):
            evaluate_all()
        if outcomes() == {"error": 200, "ticketed": 5}:
            break
    assert outcomes() == {"error": 200, "ticketed": 5}
    assert list(violations()) == []


def refuse(monkeypatch, name, *, when):
    """The rule `marker` raises when it is compiled, or when it is matched."""
    original = getattr(compile_module, name)

    def raise_instead(*_):
        raise RecursionError

    def step(node):
        if "marker" not in repr(node):
            return original(node)
        return raise_instead() if when == "compiled" else raise_instead

    monkeypatch.setattr(f"automation.engine.compile.{name}", step)


@contextmanager
def stored_rules():
    """Those of the newest version, to be spoiled."""
    newest = RuleSetVersion.objects.first()
    rules = list(rules_at(newest.kind, newest.version))
    yield rules
    RuleSetVersion.objects.filter(pk=newest.pk).update(rules=rules, changes=None, base=None)


def store_query(query):
    Rule.objects.filter(name="Bad").update(query=query)
    with stored_rules() as rules:
        rules[0]["query"] = query


def store_without_a_part():
    with stored_rules() as rules:
        del rules[0]["action"]["project_id"]


FAULTS = {
    "cannot be read": lambda _: store_query("(env:prod"),
    "What was stored": lambda _: store_without_a_part(),
    "cannot be evaluated (RecursionError)": lambda patch: refuse(
        patch, "conjunctions", when="compiled"
    ),
    "failed (RecursionError)": lambda patch: refuse(patch, "compile_predicate", when="matched"),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_it_breaks_the_rule_that_cannot_be_evaluated(reason, make_rule, report, monkeypatch):
    make_rule("Bad", query="marker")
    make_rule("Good", limit=500)
    FAULTS[reason](monkeypatch)
    report(40)
    evaluate_all()
    evaluate_all()  # a minute later
    assert outcomes() == {"ticketed": 40}
    bad, good = Rule.objects.order_by("position")
    assert (bad.enabled, good.enabled) == (False, True)
    assert reason in bad.auto_disabled_reason
    assert list(violations()) == []


def wake_up_after_a_kill(time_machine):
    """One wake-up, killed or not, and then as long as the queue needs to know."""
    with suppress(Killed):
        evaluate_all()
    time_machine.shift(attempts.LOST_AFTER + timedelta(seconds=1))


def test_it_finds_the_finding_that_kills_its_worker(make_rule, report, monkeypatch, time_machine):
    time_machine.move_to(timezone.now())
    make_rule(limit=500)
    report(60, prefix="a")
    report(1, prefix="c", title=CULPRIT)
    report(60, prefix="b")
    break_step(monkeypatch, "engine", Killed())
    monkeypatch.setattr(attempts, "end", lambda _: None)
    wake_ups = 0
    while Decision.objects.count() < 121:
        wake_up_after_a_kill(time_machine)
        wake_ups += 1
    assert wake_ups < 10
    decision = Decision.objects.get(finding__title=CULPRIT)
    assert (decision.outcome, decision.reason) == (
        "error",
        "Evaluating it took too long and was stopped each time it was tried.",
    )
    assert list(violations()) == []


def test_it_forgives_a_worker_that_was_killed_by_chance(make_rule, report):
    make_rule()
    report(40)
    long_ago = timezone.now() - attempts.LOST_AFTER * 2
    EvaluationAttempt.objects.create(started_at=long_ago, size=1, finding=Finding.objects.first())
    evaluate_all()
    assert Decision.objects.filter(outcome="error").count() == 0
    assert Decision.objects.count() == 40
    assert not EvaluationAttempt.objects.exists()


def slow_match(original):
    def first_match(self, facts, accepts=None):
        time.sleep(0.06)
        return original(self, facts, accepts)

    return first_match


def test_it_keeps_what_it_has_decided_in_time_and_names_the_slow_rule(
    make_rule, report, monkeypatch, client, editor
):
    slow = make_rule("Slow one")
    report(12)
    engine = "automation.engine.compile.CompiledRules.first_match"
    monkeypatch.setattr(engine, slow_match(CompiledRules.first_match))
    monkeypatch.setattr(pipeline, "CHUNK_SECONDS", 0.2)
    assert 0 < evaluate_chunk() < 12
    assert Decision.objects.count() < 12
    assert RuleCheck.objects.get(rule=slow).seconds_per_finding > 0.05
    client.force_login(editor)
    assert "It takes 0.0" in client.get(reverse("automation:rule-list")).content.decode()
    evaluate_all()
    assert Decision.objects.count() == 12
    assert list(violations()) == []


def test_it_locks_the_limits_of_a_rule_again_when_the_first_try_failed(
    make_rule, report, monkeypatch
):
    make_rule(limit=5)
    report(20)
    original, calls = limits.write_usage, []

    def write_usage(grants):
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("once")
        original(grants)

    monkeypatch.setattr(limits, "write_usage", write_usage)
    evaluate_all()
    assert Decision.objects.filter(outcome="ticketed").count() == 5
    assert Decision.objects.filter(outcome="over_limit").count() == 15
    assert list(violations()) == []
