"""What of a ticket could not be sent: told on its try and its case, however the answer came."""

from __future__ import annotations

import pytest

from tests.fakes.tracker import failed, misconfigured, unsure
from tests.ticketing.outbox import due, lost_worker, promised, state_of
from ticketing.delivery import deliver_due
from ticketing.models import Attempt, ExternalIssue
from ticketing.outbox import lost
from ticketing.outbox.claims import claim, mark_sent
from ticketing.outbox.left_out import left_out_of, note_left_out
from ticketing.trackers.base import LeftOut

pytestmark = pytest.mark.django_db(transaction=True)
FIELDS = {"customfield_1": "{{tags.team}}", "customfield_2": "x", "summary": "{{title}}"}
TOLD = "Left out: customfield_1 (this ticket is not about one finding)."


def create_tries():
    creates = Attempt.objects.filter(operation=Attempt.Operation.CREATE)
    return [(each.outcome, each.explanation) for each in creates.order_by("started_at")]


def told():
    return left_out_of(ExternalIssue.objects.get())


def test_it_is_told_on_the_try_and_of_the_issue(tracker):
    promised(fields=FIELDS)
    deliver_due()
    assert create_tries() == [("created", TOLD)]
    assert told() == TOLD


def test_it_says_why_of_one_finding(tracker):
    facts = {"finding_type": "secret", "severity": "high", "finding_id": "Zg"}
    promised(fields=FIELDS)
    ExternalIssue.objects.update(facts=facts)
    deliver_due()
    assert told() == "Left out: customfield_1 (the finding has no value for it)."


def test_it_says_nothing_where_all_was_sent(tracker):
    promised(fields={"customfield_2": "x"})
    deliver_due()
    assert create_tries() == [("created", "")]
    assert told() == ""


@pytest.mark.parametrize("error", [unsure(), failed()])
def test_it_is_known_though_the_answer_was_lost(tracker, error):
    issue = promised(fields=FIELDS)
    tracker.fail("create", error, after=True)
    deliver_due()
    due(issue)
    deliver_due()
    assert state_of(issue) == "created"
    [(_, reason)] = create_tries()
    assert reason == f"{error.reason} {TOLD}"
    assert told() == TOLD


def test_it_is_known_though_the_worker_died(tracker):
    issue = promised(fields=FIELDS)
    claimed = claim(issue.account_id)
    mark_sent(claimed, floor=0)
    with lost_worker(claimed):
        note_left_out(claimed, [LeftOut("Team", "“mars” is not one of its options")])
    lost.free_lost()
    [(outcome, reason)] = create_tries()
    assert (outcome, reason) == (
        "unsure",
        "Worker lost. Left out: Team (“mars” is not one of its options).",
    )


def test_a_refusal_has_the_reason_to_itself(tracker):
    promised(fields=FIELDS)
    tracker.fail("create", misconfigured("No."))
    deliver_due()
    assert create_tries() == [("config", "No.")]
    assert told() == ""


def test_only_the_try_that_made_the_issue_counts(tracker):
    issue = promised(fields=FIELDS)
    tracker.fail("create", unsure())
    deliver_due()
    ExternalIssue.objects.update(fields={}, state="pending", was_unsure=False)
    due(issue)
    deliver_due()
    assert state_of(issue) == "created"
    assert told() == ""
