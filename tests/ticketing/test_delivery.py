"""One promise on its way out: the call, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import DestinationFactory, JiraAccountFactory
from tests.fakes.tracker import (
    misconfigured,
    refused,
    transient,
    unauthorized,
)
from tests.ticketing.outbox import RULE, due, promised, state_of
from ticketing import accounts
from ticketing.account_probe import probe_due
from ticketing.delivery import compose, deliver_due, deliver_one
from ticketing.models import Case, ExternalIssue
from ticketing.outbox import Promise
from ticketing.outbox.claims import (
    claim,
)
from ticketing.services import CaseDraft, open_cases
from ticketing.signals import destination_broken
from ticketing.trackers.base import Fault, TrackerError

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken():
    """Whatever was said to be broken."""
    heard = []

    def hear(rule_id, reason, field, **_):
        heard.append((str(rule_id), reason, field))

    destination_broken.connect(hear)
    yield heard
    destination_broken.disconnect(hear)


def outcomes(issue):
    tries = issue.tries.order_by("started_at")
    return list(tries.values_list("operation", "outcome"))


# --- It goes well -------------------------------------------------------------------------


def test_it_keeps_the_order_of_the_cases(tracker):
    destination = DestinationFactory()
    drafts = [
        CaseDraft(
            project_id=destination.project_id,
            title=f"{n}",
            description="",
            priority="P2",
            origin=Case.Origin.MANUAL,
            promise=Promise({}),
        )
        for n in range(5)
    ]
    open_cases(drafts)
    assert deliver_due()
    delivered = ExternalIssue.objects.order_by("delivered_at", "case__number")
    keys = list(delivered.values_list("case__number", "issue_key"))
    assert keys == [(n, f"SEC-{n}") for n in range(1, 6)]


def test_it_creates_what_was_promised(tracker):
    issue = promised()
    assert deliver_due()
    issue.refresh_from_db()
    [there] = tracker.issues_with(issue.key)
    assert (issue.state, issue.issue_key) == ("created", there.state.ref.key)
    assert there.state.title == issue.case.title
    assert there.attempt == str(issue.attempt)
    assert outcomes(issue) == [("create", "created")]


def test_it_says_so_on_the_case_and_asks_for_its_state(tracker):
    issue = promised()
    deliver_due()
    issue.refresh_from_db()
    assert issue.case.timeline.filter(kind="issue", after=issue.issue_key).exists()
    assert issue.sync_due_at is not None


def test_it_creates_nothing_when_rung_again(tracker):
    issues = promised(3)
    for _ in range(3):
        assert deliver_due()
    assert [len(tracker.issues_with(issue.key)) for issue in issues] == [1, 1, 1]
    assert len(tracker.called("create")) == 3


def test_it_rings_again_when_time_runs_out(tracker):
    promised(2)
    assert not deliver_due(seconds=0)
    assert tracker.called("create") == []


def test_it_asks_for_the_newest_number_only_when_it_has_created_none_lately(tracker):
    promised(3)
    deliver_due()
    assert len(tracker.called("floor")) == 1


# --- What the ticket says -----------------------------------------------------------------


def test_it_fills_fields_from_the_finding():
    facts = {"finding_type": "secret", "severity": "high", "tags": ["team:pay"], "finding_id": "Zg"}
    fields = {"labels": ["{{tags.team}}", "sec"], "customfield_1": "x", "due": "{{due_date}}"}
    issue = promised(fields=fields)
    ExternalIssue.objects.update(facts=facts)
    draft = compose(ExternalIssue.objects.select_related("case").get(pk=issue.pk))
    assert draft.fields == {"labels": ["pay", "sec"], "customfield_1": "x"}
    assert draft.constants == {"customfield_1", "priority"}


def test_it_leaves_out_what_it_has_no_facts_for():
    issue = promised(fields={"labels": ["{{tags.team}}"], "customfield_1": "x"})
    draft = compose(issue)
    assert draft.fields == {"customfield_1": "x"}
    assert (draft.summary, draft.description) == (issue.case.title, issue.case.description)


@pytest.mark.parametrize(
    ("said", "mapped", "level"),
    [
        ({}, "", 2),  # found by its name
        ({"priority_mapping": {"P1": "1"}}, "", 2),
        ({"priority_mapping": {"P2": "10042"}}, "10042", 2),
        ({"sync_priority": "off", "priority_mapping": {"P2": "10042"}}, "", 0),
    ],
)
def test_it_says_how_urgent_it_is(said, mapped, level):
    draft = compose(promised(destination=DestinationFactory(**said)))
    assert draft.fields == ({"priority": {"id": mapped}} if mapped else {})
    assert draft.optional == (frozenset({"priority"}) if mapped else frozenset())
    assert draft.priority == level


def test_it_maps_the_priority_of_the_case():
    place = DestinationFactory(priority_mapping={"P2": "10042"})
    assert compose(promised(destination=place)).fields == {"priority": {"id": "10042"}}
    own = promised(destination=place, fields={"priority": {"id": "1"}})
    assert compose(own).fields == {"priority": {"id": "1"}}


# --- A passing fault ----------------------------------------------------------------------


def test_it_waits_longer_after_each_passing_fault(tracker):
    issue = promised()
    tracker.fail("create", transient(whole_account=False), times=3)
    waits = []
    for _ in range(3):
        due(issue)
        before = timezone.now()
        issue.account.__class__.objects.update(paused_until=None)
        deliver_due()
        issue.refresh_from_db()
        waits.append((issue.not_before - before).total_seconds())
    assert issue.state == "pending"
    assert 1.3 < waits[0] < 3 < waits[2] < 11
    assert issue.attempts == 3


def test_it_waits_as_long_as_jira_asks_and_calls_nobody_meanwhile(tracker):
    issue, other = promised(2)
    tracker.fail("create", transient(retry_after=70))
    deliver_due()
    issue.refresh_from_db()
    assert issue.not_before > timezone.now() + timedelta(seconds=69)
    assert (issue.attempts, state_of(other)) == (0, "pending")
    assert len(tracker.called("create")) == 1


def test_it_does_not_wait_longer_than_a_quarter_of_an_hour(tracker):
    issue = promised()
    due(issue, attempts=60)
    tracker.fail("create", transient(whole_account=False))
    deliver_due()
    issue.refresh_from_db()
    assert issue.not_before <= timezone.now() + timedelta(minutes=15)


# --- The account --------------------------------------------------------------------------


def test_it_stops_the_account_once_and_keeps_its_tickets(tracker, broken):
    issues = promised(3)
    tracker.fail("create", unauthorized())
    deliver_due()
    account = issues[0].account
    account.refresh_from_db()
    assert (account.state, account.history.count()) == ("suspected", 1)
    assert [state_of(issue) for issue in issues] == ["pending"] * 3
    assert len(tracker.called("create")) == 1
    assert deliver_due()
    assert broken == []


def test_it_delivers_when_the_account_works_again(tracker):
    issue = promised()
    tracker.fail("create", unauthorized())
    deliver_due()
    tracker.fail("identify", unauthorized())
    probe_due()
    issue.account.refresh_from_db()
    assert issue.account.state == "auth_failed"
    accounts.resume(issue.account)
    deliver_due()
    assert state_of(issue) == "created"


def test_it_stops_an_account_that_is_not_where_it_says(tracker, broken):
    issue = promised()
    error = TrackerError(Fault.CONFIG, "There is no Jira.", whole_account=True, status=404)
    tracker.fail("create", error)
    tracker.fail("identify", error)
    deliver_due()
    probe_due()
    issue.account.refresh_from_db()
    assert (issue.account.state, state_of(issue), broken) == ("broken", "pending", [])


# --- The rule -----------------------------------------------------------------------------


def test_it_breaks_the_rule_once_and_holds_back_its_other_tickets(tracker, broken):
    issues = promised(4)
    tracker.fail("create", misconfigured("Field Team is required.", field="customfield_10021"))
    deliver_due()
    assert [state_of(issue) for issue in issues] == ["blocked"] * 4
    assert {issue.reason for issue in issues} == {"Field Team is required."}
    assert broken == [(RULE, "Field Team is required.", "customfield_10021")]
    assert len(tracker.called("create")) == 1


def test_it_leaves_the_tickets_of_other_rules_alone(tracker, broken):
    place = DestinationFactory()
    issue = promised(destination=place)
    other = promised(destination=place, rule_id="22222222-2222-2222-2222-222222222222")
    tracker.fail("create", misconfigured())
    deliver_due()
    assert (state_of(issue), state_of(other)) == ("blocked", "created")


@pytest.mark.parametrize("origin", [Case.Origin.MANUAL, Case.Origin.TEST, Case.Origin.API])
def test_it_breaks_no_rule_for_a_ticket_made_by_hand(tracker, broken, origin):
    place = DestinationFactory()
    issue = promised(destination=place, origin=origin)
    waiting = promised(destination=place)
    tracker.fail("create", misconfigured())
    deliver_due()
    assert (state_of(issue), broken, state_of(waiting)) == ("blocked", [], "created")


def test_it_breaks_nothing_if_breaking_the_rule_fails(tracker):
    def refuse(**_):
        raise RuntimeError

    issue = promised()
    tracker.fail("create", misconfigured())
    destination_broken.connect(refuse)
    with pytest.raises(RuntimeError):
        deliver_due()
    destination_broken.disconnect(refuse)
    assert state_of(issue) == "sending"


# --- The content --------------------------------------------------------------------------


def test_it_tries_a_remedy_once_and_at_once(tracker, broken):
    issue = promised()
    tracker.fail("create", refused("Too long.", remedy="truncate"))
    deliver_due()
    issue.refresh_from_db()
    assert (issue.state, issue.remedies) == ("created", ["truncate"])


def test_it_asks_a_person_when_the_remedy_does_not_help(tracker, broken):
    issue = promised()
    tracker.fail("create", refused("Too long.", remedy="truncate"), times=2)
    deliver_due()
    assert (state_of(issue), issue.reason, broken) == ("blocked", "Too long.", [])


def test_it_breaks_the_rule_when_three_are_refused_alike(tracker, broken):
    issues = promised(5)
    tracker.fail("create", refused("A validator says no."), times=3)
    deliver_due()
    assert [state_of(issue) for issue in issues] == ["blocked"] * 5
    assert broken == [(RULE, "A validator says no.", "")]
    assert len(tracker.called("create")) == 3


def test_it_does_not_count_refusals_across_a_success(tracker, broken):
    tracker.fail("create", refused("No."), times=2)
    first = promised(3)
    deliver_due()
    tracker.fail("create", refused("No."), times=2)
    second = promised(2, destination=first[0].case.project.destination)
    deliver_due()
    assert [state_of(issue) for issue in second] == ["blocked"] * 2
    assert broken == []


def test_it_breaks_no_rule_for_what_a_limit_notice_says(tracker, broken):
    notices = [promised(origin=Case.Origin.LIMIT_NOTICE) for _ in range(4)]
    tracker.fail("create", refused("No."), times=4)
    deliver_due()
    assert [state_of(issue) for issue in notices] == ["blocked"] * 4
    assert broken == []


# --- Nothing else ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"state": "auth_failed", "problem": "No."},
        {"state": "broken", "problem": "No."},
        {"deleted_at": timezone.now()},
        {"connected_at": None},
        {"paused_until": timezone.now() + timedelta(days=1)},
    ],
)
def test_it_claims_nothing_of_an_account_that_may_not_be_called(said, tracker):
    issue = promised(destination=DestinationFactory(account=JiraAccountFactory(**said)))
    assert claim(issue.account_id) is None
    assert deliver_due()
    assert tracker.calls == []


def test_it_records_what_it_did_not_expect(tracker, monkeypatch, caplog):
    issue = promised()
    monkeypatch.setattr(tracker, "create", lambda *_, **__: 1 / 0)
    deliver_due()
    issue.refresh_from_db()
    assert (issue.state, "ZeroDivisionError" in issue.reason) == ("unsure", True)


def test_it_tries_again_what_failed_unexpectedly_before_it_was_sent(tracker, monkeypatch):
    issue = promised()
    monkeypatch.setattr(tracker, "floor", lambda *_: 1 / 0)
    deliver_due()
    assert (state_of(issue), tracker.called("create")) == ("pending", [])


# --- While somebody looks on --------------------------------------------------------------


def test_it_delivers_one_at_once(tracker):
    first, issue = promised(2)
    assert deliver_one(issue.pk).state == "created"
    assert state_of(first) == "pending"


def test_it_shows_why_one_could_not_be_delivered(tracker):
    issue = promised(origin=Case.Origin.TEST)
    tracker.fail("create", refused("Field Team is required."))
    shown = deliver_one(issue.pk)
    assert (shown.state, shown.reason) == ("blocked", "Field Team is required.")


def test_it_does_not_wait_for_an_account_that_is_stopped(tracker):
    issue = promised()
    issue.account.__class__.objects.update(state="broken", problem="No.")
    assert deliver_one(issue.pk).state == "pending"


def test_it_does_not_wait_for_ever_for_a_busy_space(tracker):
    *busy, issue = promised(9)
    assert all(claim(one.account_id, only=one.pk) for one in busy)
    assert deliver_one(issue.pk, patience=0.2).state == "pending"
