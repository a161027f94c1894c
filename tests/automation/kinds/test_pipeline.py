"""The kinds of rules on new findings, and on those that are there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automation.decisions.steps import explain_steps
from automation.kinds.due_date.action import DueDays, DueFrom, SetDueDate
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.severity.action import Delta, Level, SetSeverity, ShiftSeverity
from automation.models import Decision, Recheck
from automation.pipeline import evaluate_all
from automation.recheck import recheck
from automation.rules.active import all_active_rules
from automation.rules.data import RuleData
from automation.rules.services import create_rule, delete_rule, disable_rule
from findings.facts import FindingType
from findings.models import Evaluation, Finding
from findings.services import record, unmute
from tests.factories import ProjectFactory, SourceFactory, UserFactory, reported, ticket_rule

pytestmark = pytest.mark.django_db

LIBRARY = FindingType.LIBRARY.value
HIGHER = SetSeverity(severity=Level.CRITICAL)
MUTE = MuteFinding(reason=Reason.RISK_ACCEPTED)
DUE = SetDueDate(
    due_from=DueFrom.FIRST_SEEN,
    due_days_per_severity=[DueDays(severity="critical", due_in_days=7)],
)


def rule(action, name="R", query="", types=(LIBRARY,), **said):
    data = RuleData(name=name, finding_types=types, query=query, action=action, **said)
    return create_rule(data, actor=None)


def report(number=1, **fields):
    record(reported(number, **fields), source=SourceFactory())
    evaluate_all()
    return Finding.objects.order_by("-pk")[0]


def test_each_kind_sees_the_finding_as_the_one_before_left_it():
    rule(HIGHER)
    rule(DUE, query="@severity:critical")
    rule(AddToInbox(), query="@severity:critical")
    create_rule(
        ticket_rule(
            name="T",
            finding_types=[LIBRARY],
            query="@severity:critical",
            project_id=ProjectFactory().pk,
            max_tickets_per_day=5,
        ),
        actor=None,
    )
    finding = report(severity="high")
    assert (finding.severity, finding.source_severity) == ("critical", "high")
    assert finding.due_at.date() == finding.first_seen_at.date() + timedelta(days=7)
    assert (finding.is_in_inbox, finding.ticket) == (True, "automated")
    done = dict(Decision.objects.values_list("kind", "outcome"))
    changed = dict.fromkeys(("severity_modifier", "due_date", "inbox"), "applied")
    assert done == changed | {"ticket_creation": "ticketed"}


def test_a_muted_finding_gets_neither_ticket_nor_date():
    rule(MUTE)
    rule(DUE)
    finding = report(severity="critical")
    assert (finding.status, finding.due_at) == ("muted", None)
    assert Decision.objects.get(kind="ticket_creation").outcome == "muted"


def test_a_rule_that_would_change_nothing_leaves_it_to_the_next():
    first = rule(HIGHER, "same")
    second = rule(ShiftSeverity(severity_delta=Delta.DOWN_ONE), "down")
    finding = report(severity="critical")
    assert (finding.severity, finding.severity_rule_id) == ("high", second.pk)
    other = report(severity="low", prefix="x")
    assert (other.severity, other.severity_rule_id) == ("critical", first.pk)


@pytest.mark.parametrize("away", [delete_rule, disable_rule])
def test_what_rules_did_goes_with_them(away):
    rules = [rule(HIGHER), rule(DUE), rule(AddToInbox())]
    report(severity="high")
    for each in rules:
        away(each.pk, actor=None)
    assert recheck()
    finding = Finding.objects.get()
    assert (finding.severity, finding.due_at, finding.is_in_inbox) == ("high", None, False)
    assert not Decision.objects.exclude(kind="ticket_creation").exists()


def test_it_mutes_what_is_there_and_opens_it_again_without_a_ticket():
    report(3)
    muting = rule(MUTE)
    assert recheck()
    assert set(Finding.objects.values_list("status", "mute_rule_id")) == {("muted", muting.pk)}
    disable_rule(muting.pk, actor=None)
    assert recheck()
    assert set(Finding.objects.values_list("status", "ticket")) == {("open", "none")}
    assert not Evaluation.objects.filter(unevaluated_since__isnull=False).exists()


def test_a_pass_goes_on_where_it_was_interrupted(monkeypatch):
    report(10)
    rule(DUE, query="")
    monkeypatch.setattr("automation.recheck.CHUNK", 3)
    assert not recheck(seconds=0)
    rule(HIGHER)
    for _ in range(10):
        recheck(seconds=0.001)
    assert recheck()
    row = Recheck.objects.get()
    assert not row.is_running
    assert row.done == row.total == 10
    assert Finding.objects.filter(severity="critical", due_at__isnull=False).count() == 10


@pytest.mark.parametrize("place", [0, 3, 6])
def test_one_that_raises_stops_none_of_the_others(monkeypatch, place):
    report(7)
    rule(DUE)
    assert recheck()  # a pass before it has left its cursor at the end
    rule(HIGHER)
    culprit = Finding.objects.order_by("pk")[place]
    from automation import recheck as module

    original = module._apply

    def apply(claimed, now):
        if culprit.pk in [finding.pk for finding in claimed]:
            raise ValueError("odd")
        original(claimed, now)

    monkeypatch.setattr(module, "_apply", apply)
    assert recheck()
    assert Finding.objects.filter(severity="critical").count() == 6


def test_it_does_nothing_twice():
    report(2, severity="high")
    rule(HIGHER)
    assert recheck()
    before = list(Decision.objects.order_by("pk").values())
    Recheck.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    assert recheck()
    assert list(Decision.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("was", "delta", "kind", "becomes"),
    [
        ("info", Delta.DOWN_ONE, FindingType.SECRET, "info"),
        ("none", Delta.DOWN_ONE, FindingType.MISCONFIGURATION, "none"),
        ("info", Delta.DOWN_ONE, FindingType.LIBRARY, "info"),
        ("info", Delta.UP_ONE, FindingType.SECRET, "low"),
        ("low", Delta.DOWN_ONE, FindingType.SECRET, "low"),
        ("low", Delta.DOWN_ONE, FindingType.LIBRARY, "none"),
        ("critical", Delta.UP_ONE, FindingType.SECRET, "critical"),
    ],
)
def test_a_shift_stops_at_the_ends(was, delta, kind, becomes):
    rule(ShiftSeverity(severity_delta=delta), types=(kind.value,))
    finding = report(severity=was, finding_type=kind.value)
    assert finding.severity == becomes
    assert (finding.severity_rule_id is None) == (was == becomes)


def test_why_follows_a_person_who_lifts_a_mute_and_a_rule_that_goes():
    muting = rule(MUTE)
    finding = report()
    assert _muted_for(finding) == str(muting.pk)
    unmute([finding.pk], actor=UserFactory())
    delete_rule(muting.pk, actor=None)
    assert recheck()
    assert _muted_for(Finding.objects.get()) is None


def _muted_for(finding):
    [matched] = [step.matched for step in explain_steps(finding) if step.kind.name == "mute"]
    return matched and matched.rule.id


@pytest.mark.parametrize("command", [recheck, evaluate_all])
@pytest.mark.parametrize("is_first", [True, False], ids=["it acts", "nothing changes"])
def test_a_chunk_costs_the_same_number_of_statements_whatever_is_in_it(command, is_first):
    assert _statements(4, command, is_first) == _statements(40, command, is_first) < 50


def _statements(size, command, is_first):
    with transaction.atomic():
        record(reported(size, severity="high"), source=SourceFactory())
        if command is recheck:
            evaluate_all()
        for name in "ABC":
            for action in (HIGHER, MUTE, AddToInbox(), DUE):
                rule(action, name, query="" if is_first else "env:other")
        all_active_rules()  # what is new is loaded once
        with CaptureQueriesContext(connection) as captured:
            assert command()
        transaction.set_rollback(True)
    return len(captured)
