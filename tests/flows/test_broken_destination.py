"""A rule breaks once for each cause, and what waits for it is delivered when it is repaired."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from uuid import UUID, uuid4

import pytest

from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule
from automation.pipeline import evaluate_all
from automation.rules.services import (
    create_rule,
    current_version,
    deliver_waiting,
    edit_rule,
    replace_rules,
)
from findings.services import record
from tests.factories import DestinationFactory, SourceFactory, reported, ticket_rule
from tests.fakes.tracker import FakeTracker, misconfigured, unauthorized
from ticketing.accounts import pause, resume
from ticketing.delivery import deliver_due
from ticketing.models import ExternalIssue
from ticketing.outbox import waiting_count

pytestmark = pytest.mark.django_db
WRONG = misconfigured("Field Team is required.", field="customfield_10021")


@pytest.fixture
def tracker(monkeypatch):
    fake = FakeTracker()

    @contextmanager
    def connect(account, **options):
        yield fake

    monkeypatch.setattr("ticketing.delivery.tracker_for", connect)
    return fake


@pytest.fixture
def place(db):
    return DestinationFactory()


def said(place, **fields):
    values = {"finding_types": ["library_vulnerability"], "max_tickets_per_day": 500}
    known = {"name": "Libraries", "target": "jira"}
    known["project_id"] = place.project_id if place else UUID(int=1)
    return ticket_rule(**known | values | fields)


def states():
    return sorted(ExternalIssue.objects.values_list("state", flat=True))


def ticketed(place, number, *, tags=(), **fields):
    rule = create_rule(said(place, **fields), actor=None)
    record(reported(number, prefix=rule.name, tags=tags), source=SourceFactory())
    evaluate_all()
    return rule


def test_it_breaks_once_however_many_tickets_wait(place, tracker):
    rule = ticketed(place, 400)
    versions = rule.history.count()
    tracker.fail("create", WRONG, times=400)
    while not deliver_due(seconds=60):
        pass
    rule.refresh_from_db()
    assert (rule.enabled, rule.auto_disabled_reason) == (False, "Field Team is required.")
    assert rule.history.count() == versions + 1
    assert waiting_count([rule.pk]) == {rule.pk: 400}
    assert len(tracker.called("create")) == 1


def test_it_delivers_what_waited_with_the_fields_as_they_are_now(place, tracker):
    rule = ticketed(place, 3)
    tracker.fail("create", WRONG)
    deliver_due()
    team = {"customfield_10021": {"id": "7"}}
    edit_rule(rule.pk, said(place, fields=team), actor=None)
    assert states() == ["blocked"] * 3
    assert deliver_waiting(rule.pk, actor=None) == 3
    deliver_due()
    assert states() == ["created"] * 3
    assert {str(issue.fields) for issue in tracker.issues.values()} == {str(team)}
    assert deliver_waiting(rule.pk, actor=None) == 0


def test_it_breaks_again_for_another_cause(place, tracker):
    rule = ticketed(place, 2)
    tracker.fail("create", WRONG)
    deliver_due()
    edit_rule(rule.pk, said(place, fields={"labels": ["x"]}), actor=None)
    deliver_waiting(rule.pk, actor=None)
    tracker.fail("create", misconfigured("The space is archived."))
    deliver_due()
    rule.refresh_from_db()
    assert rule.auto_disabled_reason == "The space is archived."


def test_an_old_ticket_does_not_break_a_rule_that_was_repaired(place, tracker):
    rule = ticketed(place, 1)
    edit_rule(rule.pk, said(place, fields={"labels": ["x"]}), actor=None)
    tracker.fail("create", WRONG)
    deliver_due()
    rule.refresh_from_db()
    assert (rule.enabled, states()) == (True, ["blocked"])


def test_it_delivers_to_the_place_that_was_repaired(place, tracker):
    rule = ticketed(place, 2)
    tracker.fail("create", WRONG)
    deliver_due()
    ExternalIssue.objects.update(space_id="old")
    edit_rule(rule.pk, said(place), actor=None)
    deliver_waiting(rule.pk, actor=None)
    assert set(ExternalIssue.objects.values_list("space_id", flat=True)) == {place.space_id}


def test_a_refused_token_pauses_the_account_and_no_rule(place, tracker):
    rule = ticketed(place, 3)
    tracker.fail("create", unauthorized())
    deliver_due()
    assert states() == ["pending"] * 3
    assert Rule.objects.get(pk=rule.pk).enabled
    place.account.refresh_from_db()
    assert place.account.state == "suspected"
    pause(place.account, "Jira rejected the credentials (HTTP 401).")
    resume(place.account)
    deliver_due()
    assert states() == ["created"] * 3


def test_rules_that_share_a_missing_project_break_as_one_change(db):
    """It took 75 s and 1,000 versions of the rules, in a transaction that is killed after 60."""
    rules = [(uuid4(), said(None, name=f"R{n}", query=f"no:{n}")) for n in range(1_000)]
    version = replace_rules(NAME, rules, version=0, actor=None)
    batch = [each for n in range(1_000) for each in reported(1, prefix=f"{n}", tags=(f"no:{n}",))]
    record(batch, source=SourceFactory())
    began = monotonic()
    evaluate_all()
    assert monotonic() - began < 10  # 1.2 s; five times that on a busy machine
    assert current_version(NAME) == version + 1
    assert Rule.objects.exclude(auto_disabled_reason="").count() == 1_000


def test_rules_that_share_a_place_break_together_at_the_second_refusal(place, tracker):
    rules = [ticketed(place, 3, name=f"R{n}", query=f"no:{n}", tags=(f"no:{n}",)) for n in range(9)]
    version = current_version(NAME)
    tracker.fail("create", misconfigured("Space OPS is gone.", field="project"), times=100)
    while not deliver_due(seconds=60):
        pass
    assert set(Rule.objects.values_list("auto_disabled_reason", flat=True)) == {
        "Space OPS is gone."
    }
    assert len(tracker.called("create")) == 2
    assert current_version(NAME) <= version + 3
    assert waiting_count([rule.pk for rule in rules]) == {rule.pk: 3 for rule in rules}


def test_a_rule_that_says_something_else_of_the_field_at_fault_goes_on(place, tracker):
    team = {"customfield_10021": {"id": "7"}}
    for n, fields in enumerate((None, None, None, team)):
        ticketed(place, 1, name=f"R{n}", query=f"no:{n}", tags=(f"no:{n}",), fields=fields)
    tracker.fail("create", WRONG, times=2)
    deliver_due()
    assert list(Rule.objects.values_list("enabled", flat=True)) == [False, False, False, True]
    assert states() == ["blocked"] * 3 + ["created"]
