"""Claims: several for a space, each with its slot and worker, and what becomes of them."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from config.lib import workers
from config.runtime import heartbeats, lost_clusters
from tests.factories import DestinationFactory, JiraAccountFactory
from tests.fakes.tracker import transient
from tests.ticketing.outbox import promised, sent_ago, state_of
from ticketing.delivery import deliver_due
from ticketing.models import ExternalIssue, JiraAccount, Orphan
from ticketing.outbox.claims import (
    ClaimLost,
    check_claim,
    claim,
    leave,
    mark_sent,
    serve,
)
from ticketing.outbox.lost import free_lost
from ticketing.outbox.newest_numbers import known_number, remember_number
from ticketing.outbox.settling import settle_created
from ticketing.outbox.waiting import is_anything_due
from ticketing.trackers.base import IssueRef

pytestmark = pytest.mark.django_db


def outlive_lease():
    ExternalIssue.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def belongs_to(worker):
    """As if that worker had made every claim."""
    ExternalIssue.objects.filter(state="sending").update(worker=worker)
    JiraAccount.objects.exclude(served_by="").update(served_by=worker)


@pytest.fixture
def ended_worker():
    """The name of a process of this machine that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return f"{workers.worker_name().rpartition(':')[0]}:{process.pid}"


# --- Slots ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("deployment", "slots"), [("cloud", 8), ("data_center", 2)])
def test_a_space_has_so_many_creates_in_flight(deployment, slots):
    place = DestinationFactory(account=JiraAccountFactory(deployment=deployment))
    promised(10, destination=place)
    elsewhere = promised(destination=DestinationFactory(account=place.account, space_id="2"))
    claimed = [claim(place.account_id) for _ in range(slots)]
    assert sorted(issue.slot for issue in claimed) == list(range(slots))
    assert claim(place.account_id).pk == elsewhere.pk
    assert claim(place.account_id) is None


def test_the_database_refuses_two_creates_in_one_slot():
    promised(2)
    claim(JiraAccount.objects.get().pk)
    claim(JiraAccount.objects.get().pk)
    with pytest.raises(IntegrityError):
        ExternalIssue.objects.update(slot=1)


def test_a_slot_is_free_again_when_its_create_is_settled():
    first, _, third = promised(3)
    mine = [claim(first.account_id) for _ in range(2)]
    settle_created(mine[0], [IssueRef("7", "SEC-7")])
    assert claim(third.account_id).slot == 0


def test_the_floor_of_each_is_below_whatever_it_creates():
    """What was created before we sent has a smaller number, however many are in flight."""
    first, second = promised(2)
    mine = [claim(first.account_id), claim(second.account_id)]
    for issue in mine:
        mark_sent(issue, floor=known_number(issue).number)
    settle_created(mine[1], [IssueRef("8", "SEC-8")])
    assert known_number(first).number == 8
    first.refresh_from_db()
    assert first.floor == 0


def test_the_newest_number_never_goes_down_and_knows_no_other_space():
    issue = promised()
    assert known_number(issue) == (0, False)
    remember_number(issue, 7, at=timezone.now())
    remember_number(issue, 5, at=timezone.now())
    assert known_number(issue) == (7, True)
    mine = claim(issue.account_id)
    settle_created(mine, [IssueRef("9", "MOVED-99")])
    assert known_number(issue).number == 7


# --- Workers that are gone --------------------------------------------------------------------


def test_it_sends_again_at_once_what_a_killed_worker_had_not_sent(tracker, ended_worker):
    issue = promised()
    claim(issue.account_id)
    assert free_lost() == 0
    belongs_to(ended_worker)
    assert is_anything_due(timezone.now())
    deliver_due()
    assert (state_of(issue), tracker.called("find")) == ("created", [])


def test_it_looks_at_once_for_what_a_killed_worker_may_have_sent(tracker, ended_worker):
    issue = promised()
    mark_sent(claim(issue.account_id), floor=0)
    belongs_to(ended_worker)
    assert free_lost() == 1
    issue.refresh_from_db()
    assert (issue.state, issue.was_unsure, issue.lookups) == ("unsure", True, 0)
    assert issue.not_before <= timezone.now()
    assert issue.proof_from == issue.posted_at + timedelta(minutes=2)
    assert list(issue.tries.values_list("operation", "outcome")) == [("create", "unsure")]


@pytest.mark.parametrize("silent", [timedelta(0), 2 * heartbeats.STUCK_AFTER, None])
def test_it_frees_what_another_machine_s_cluster_held_when_that_falls_silent(silent):
    issue = promised()
    claim(issue.account_id)
    belongs_to("elsewhere:77:78")
    if silent is not None:
        heartbeats.Heartbeat.objects.create(cluster="elsewhere:77", at=timezone.now() - silent)
    is_gone = silent != timedelta(0)
    assert lost_clusters.hold_claims(timezone.now()) is is_gone
    lost_clusters.free_claims()
    assert state_of(issue) == ("pending" if is_gone else "sending")


@pytest.mark.parametrize("worker", ["", "elsewhere::78", "odd", "elsewhere:1:78"])
def test_a_worker_of_which_nothing_is_known_has_until_its_lease_is_over(worker):
    issue = promised()
    claim(issue.account_id)
    heartbeats.Heartbeat.objects.create(cluster="elsewhere:1", at=timezone.now())
    belongs_to(worker)
    lost_clusters.free_claims()
    assert free_lost() == 0
    outlive_lease()
    assert free_lost() == 1
    assert state_of(issue) == "pending"


def test_its_lease_is_over_before_two_minutes_are():
    claimed = claim(promised().account_id)
    assert claimed.lease_until - timezone.now() <= timedelta(seconds=90)
    assert is_anything_due(claimed.lease_until)


@pytest.mark.parametrize("is_sent", [True, False])
def test_nobody_else_waits_for_a_worker_that_is_lost(tracker, is_sent):
    first, *others = promised(9)
    claimed = claim(first.account_id, only=first.pk)
    if is_sent:
        mark_sent(claimed, floor=0)
    belongs_to("elsewhere:1:2")
    assert deliver_due()
    assert {state_of(issue) for issue in others} == {"created"}


# --- Workers that wake up ---------------------------------------------------------------------


def test_a_worker_that_slept_too_long_sends_nothing():
    mine = claim(promised().account_id)
    mark_sent(mine, floor=0)
    ExternalIssue.objects.update(lease_until=timezone.now() + timedelta(seconds=59))
    for check in (lambda: mark_sent(mine, floor=0), lambda: check_claim(mine)):
        with pytest.raises(ClaimLost):
            check()


def test_a_worker_that_slept_while_it_asked_sends_nothing(monkeypatch):
    mine = claim(promised().account_id)
    mark_sent(mine, floor=0)
    check_claim(mine)
    ticks = iter([100.0, 106.0])
    monkeypatch.setattr("ticketing.outbox.claims.time.clock_gettime", lambda _: next(ticks))
    with pytest.raises(ClaimLost):
        check_claim(mine)


def test_a_worker_that_lost_its_claim_sends_nothing():
    issue = promised()
    mine = claim(issue.account_id)
    outlive_lease()
    free_lost()
    assert claim(issue.account_id).attempt != mine.attempt
    with pytest.raises(ClaimLost):
        mark_sent(mine, floor=0)


def test_it_never_drops_the_answer_of_a_worker_that_was_given_up(tracker):
    issue = promised()
    mine = claim(issue.account_id)
    mark_sent(mine, floor=0)
    outlive_lease()
    free_lost()
    sent_ago(issue, minutes=7)
    ExternalIssue.objects.update(lookups=1)
    tracker.fail("create", transient(whole_account=False))
    deliver_due()  # surely absent, and claimed again
    assert issue.tries.filter(operation="create").count() == 2
    assert not settle_created(mine, [IssueRef("7", "SEC-7")])
    assert Orphan.objects.get().remote_key == "SEC-7"


def test_it_takes_the_answer_when_nobody_else_has_begun_again():
    issue = promised()
    mine = claim(issue.account_id)
    mark_sent(mine, floor=0)
    ExternalIssue.objects.update(state="pending", lease_until=None)
    assert settle_created(mine, [IssueRef("7", "SEC-7")])
    assert (state_of(issue), issue.issue_key) == ("created", "SEC-7")


# --- Several workers --------------------------------------------------------------------------


def test_one_worker_at_a_time_delivers_for_an_account(tracker):
    issue = promised()
    assert serve(issue.account_id, seconds=5)
    assert deliver_due()  # another worker: it goes away at once
    assert (state_of(issue), tracker.calls) == ("pending", [])
    leave(issue.account_id)
    deliver_due()
    assert state_of(issue) == "created"


def test_an_account_is_served_again_at_once_when_its_worker_was_killed(tracker, ended_worker):
    issue = promised()
    serve(issue.account_id, seconds=5)
    belongs_to(ended_worker)
    deliver_due()
    assert state_of(issue) == "created"


def test_an_account_is_served_again_when_its_worker_s_time_is_over(tracker, frozen):
    issue = promised()
    serve(issue.account_id, seconds=5)
    frozen.shift(timedelta(seconds=36))
    deliver_due()
    assert state_of(issue) == "created"


def test_it_lets_go_of_the_account_whatever_happens(tracker, monkeypatch):
    issue = promised()
    monkeypatch.setattr("ticketing.delivery.claims.claim", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deliver_due()
    assert serve(issue.account_id, seconds=5)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="threads see no database in memory")
def test_one_worker_creates_several_at_once(tracker, settings):
    settings.DELIVERY_THREADS = 4
    promised(12)
    JiraAccount.objects.update(rate=50)
    together = tracker.hold("create", until=4)
    assert deliver_due()
    assert together.most == 4
    assert ExternalIssue.objects.filter(state="created").count() == len(tracker.issues) == 12
