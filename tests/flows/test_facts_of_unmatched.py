"""A decision where nothing matched has no copy of the facts, and tells them for ever."""

import random
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from automation.decisions.conservation import violations
from automation.decisions.explain import explain_finding
from automation.decisions.facts import facts_of, facts_of_all
from automation.models import Decision
from automation.pipeline import evaluate_all
from findings import services
from findings.facts import DECISION_FACTS, Severity, Status
from findings.models import Evaluation, Finding, Source
from findings.overrides import clear_severity, set_severity
from tests.factories import SourceFactory, reported

pytestmark = pytest.mark.django_db


def row_of(finding: Finding) -> dict[str, object]:
    return {name: getattr(finding, name) for name in DECISION_FACTS}


def told() -> dict[int, dict[str, object]]:
    """Decision → its facts, as the one reader tells them, whichever way it is asked."""
    decisions = {each.pk: each for each in Decision.objects.select_related("finding")}
    facts = {pk: facts_of(each) for pk, each in decisions.items()}
    here = Decision.objects.filter(finding__isnull=False).order_by("pk")
    pairs = zip(here.values_list("pk", flat=True), facts_of_all(here), strict=True)
    assert {pk: found for pk, (_, found) in pairs} == {
        pk: facts[pk] for pk, each in decisions.items() if each.finding_id
    }
    return {pk: {n: getattr(each, n) for n in DECISION_FACTS} for pk, each in facts.items()}


def report(dice: random.Random, now) -> None:
    said = {"severity": dice.choice(["low", "critical"]), "tags": (dice.choice(["a:ü", "a:2"]),)}
    services.record(reported(4, **said), source=Source.objects.get(), now=now)


def set_by_person(dice, pks, now):
    set_severity(pks, severity=dice.choice([Severity.INFO, Severity.HIGH]), actor=None)


CHANGES = (
    lambda dice, pks, now: report(dice, now),
    set_by_person,
    lambda dice, pks, now: clear_severity(pks, actor=None),
    lambda dice, pks, now: services.change_status(pks, status=Status.RESOLVED, actor=None),
    lambda dice, pks, now: services.change_status(pks, status=Status.OPEN, actor=None),
    lambda dice, pks, now: Finding.objects.filter(pk__in=pks).update(attributes={"b": [1.5, None]}),
    lambda dice, pks, now: Finding.objects.update(first_seen_at=F("first_seen_at") - timedelta(1)),
    lambda dice, pks, now: Finding.objects.filter(pk__in=pks[:1]).delete(),
    lambda dice, pks, now: evaluate_all(),
)


@pytest.mark.parametrize("seed", range(6))
def test_what_was_decided_is_told_as_it_was_whoever_changes_the_finding(seed, make_rule):
    dice, now = random.Random(seed), timezone.now()
    make_rule(query="never:there")
    SourceFactory()
    report(dice, now)
    then: dict[int, dict[str, object]] = {}
    for nth in range(12):
        pks = list(Finding.objects.order_by("pk").values_list("pk", flat=True))
        change = dice.choice(CHANGES) if nth else CHANGES[-1]
        change(dice, dice.sample(pks, len(pks) // 2), now + timedelta(hours=nth))
        new = Decision.objects.exclude(pk__in=then).select_related("finding")
        assert {each.facts for each in new} <= {None}
        then |= {each.pk: row_of(each.finding) for each in new}
        assert told() == then
    assert list(violations()) == []


def test_a_report_that_brings_nothing_new_leaves_the_facts_in_the_row(make_rule):
    now = timezone.now()
    make_rule(query="never:there")
    source = SourceFactory()
    services.record(reported(3), source=source, now=now)
    evaluate_all()
    services.record(reported(3), source=source, now=now + timedelta(hours=1))
    assert {*Decision.objects.values_list("facts", flat=True)} == {None}
    assert {facts["last_seen_at"] for facts in told().values()} == {now}
    assert {*Evaluation.objects.values_list("last_seen_at", flat=True)} == {
        now + timedelta(hours=1)
    }


def test_what_is_killed_in_the_middle_leaves_both_as_they_were(make_rule):
    rule = make_rule(query="a:1")
    source = SourceFactory()
    services.record(reported(3, tags=("a:2",)), source=source)
    evaluate_all()
    before = told()
    with transaction.atomic():
        services.record(reported(3, tags=("a:1",)), source=source)
        assert Decision.objects.filter(facts__isnull=True).count() == 0
        transaction.set_rollback(True)  # the process dies here
    assert Decision.objects.filter(facts__isnull=True).count() == 3
    assert told() == before
    services.record(reported(3, tags=("a:1",)), source=source)
    explanation = explain_finding(Finding.objects.first())
    assert explanation is not None
    assert [(t.rule.id, t.state) for t in explanation.traces] == [(str(rule.pk), "no_match")]
