"""Bulk runs at the doors of the service: what is done, once, whatever happens meanwhile."""

from __future__ import annotations

import itertools
import uuid
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.accounts.roles import Role
from config.runtime import schedules
from findings.facts import Status
from findings.models import Finding
from findings.services import change_status
from tests.factories import DestinationFactory, FindingFactory, ProjectFactory, UserFactory
from tests.flows.test_hostile_death import DatabaseGone, dying_at
from ticketing import bulk, bulk_records
from ticketing.models import Attachment, BulkRun, Case, ExternalIssue
from ticketing.services import archive, open_manual_case

WORK = "ticketing.tasks.work_bulk_runs"
SAID = {
    "tickets": {"assignee": None, "in_jira": False, "fields": {}, "move": False},
    "mute": {"reason": "OTHER", "description": "", "until": ""},
    "assign": {"assignee": None},
    "status": {"status": "resolved"},
    "attach": {"move": False},
}


@pytest.fixture
def project(db):
    return ProjectFactory(key="RISK")


@pytest.fixture
def start(analyst, project):
    """`start("mute", pks)`: a run that waits to be worked on."""

    def begin(deed, pks, *, run_id=None, actor=analyst, **said):
        chosen = SAID[deed] | ({"project": str(project.pk)} if deed == "tickets" else {}) | said
        return bulk.start(
            run_id or uuid.uuid4(), deed=deed, said=chosen, finding_pks=pks, search="", actor=actor
        )

    return begin


def some(number):
    return [FindingFactory().pk for _ in range(number)]


def outcomes(run):
    return list(run.steps.values_list("outcome", "reason"))


def state(run):
    run.refresh_from_db()
    return run.state


def let_the_lease_end():
    BulkRun.objects.update(leased_until=timezone.now() - timedelta(seconds=1))


def test_it_opens_a_ticket_for_each_finding_in_the_order_asked(start, analyst):
    pks = some(60)[::-1]
    run = start("tickets", pks)

    assert bulk.work_due()

    assert state(run) == "done"
    by_number = Attachment.objects.order_by("case__number").values_list("finding_id", flat=True)
    assert list(by_number) == pks
    assert set(Case.objects.values_list("origin", "created_by")) == {("manual", analyst.pk)}
    assert set(outcomes(run)) == {("done", "")}
    assert run.steps.filter(case__isnull=False).count() == 60


def test_it_leaves_findings_on_the_tickets_they_have(start, project):
    pks = some(3)
    held = open_manual_case(pks[:1], project=project, actor=None)
    run = start("tickets", pks)

    bulk.work_due()

    assert outcomes(run) == [("skipped", "It has RISK-1."), ("done", ""), ("done", "")]
    assert Attachment.objects.get(finding=pks[0]).case == held


def test_it_moves_findings_off_their_tickets_when_asked_to(start, project):
    pks = some(2)
    held = open_manual_case(pks, project=project, actor=None)
    start("tickets", pks, move=True)

    bulk.work_due()

    assert not Attachment.objects.filter(case=held).exists()
    assert Case.objects.count() == 3


def test_it_attaches_more_findings_than_one_request_may(start, project):
    pks = some(120)
    case = open_manual_case(pks[:1], project=project, actor=None)
    run = start("attach", pks, case=str(case.pk), key=case.key)

    bulk.work_due()

    assert case.attachments.count() == 120
    assert set(outcomes(run)) == {("done", "")}


def test_it_mutes_what_is_there_and_leaves_what_is_resolved(start):
    pks = some(3)
    change_status(pks[:1], status=Status.RESOLVED, actor=None)
    run = start("mute", pks, until=(timezone.now() + timedelta(days=7)).isoformat())

    bulk.work_due()

    assert outcomes(run) == [("skipped", "It is resolved."), ("done", ""), ("done", "")]
    assert Finding.objects.filter(status="muted", muted_until__isnull=False).count() == 2


def test_it_assigns_and_changes_the_status(start, editor):
    pks = some(2)
    start("assign", pks, assignee=str(editor.pk))
    start("status", pks, status="in-progress")

    bulk.work_due()

    for finding in Finding.objects.all():
        assert finding.workflow["triage"]["assignee"]["name"] == editor.name
        assert finding.status == "in-progress"


def test_it_promises_an_issue_for_each_ticket_in_jira(start):
    place = DestinationFactory()
    start(
        "tickets",
        some(2),
        project=str(place.project_id),
        in_jira=True,
        fields={"customfield_1": "x"},
    )

    bulk.work_due()

    assert [issue.fields for issue in ExternalIssue.objects.all()] == [{"customfield_1": "x"}] * 2


def test_it_is_one_run_however_often_it_is_asked_for(start):
    pks, run_id = some(2), uuid.uuid4()
    assert start("tickets", pks, run_id=run_id) == start("tickets", pks, run_id=run_id)

    bulk.work_due()
    bulk.work_due()

    assert Case.objects.count() == 2


def test_it_is_nobody_elses_run_under_the_same_id(start, editor):
    run_id, pks = uuid.uuid4(), some(1)

    assert start("mute", pks, run_id=run_id) != start("mute", pks, run_id=run_id, actor=editor)


def test_it_refuses_more_findings_than_a_run_takes(start):
    with pytest.raises(bulk.TooMany):
        start("mute", range(bulk.MOST + 1))

    assert not BulkRun.objects.exists()


def test_it_goes_on_where_it_was_left_when_time_was_over(start):
    run = start("tickets", some(120))

    assert not bulk.work_due(seconds=0)
    assert Case.objects.count() == 50
    assert bulk.work_due()

    assert state(run) == "done"
    assert Case.objects.count() == 120


def test_it_stops_when_asked_and_goes_on_when_asked(start, editor):
    run = start("tickets", some(70))
    bulk.work_due(seconds=0)

    assert bulk.stop(run, reason="Stopped by Alan Analyst.")
    assert bulk.work_due()
    assert Case.objects.count() == 50
    assert (state(run), run.reason) == ("stopped", "Stopped by Alan Analyst.")
    assert not bulk.stop(run, reason="")

    assert bulk.go_on(run, actor=editor)
    assert not bulk.go_on(run, actor=editor)
    bulk.work_due()
    assert (state(run), run.actor, Case.objects.count()) == ("done", editor, 70)
    assert Case.objects.filter(created_by=editor).count() == 20


def test_it_leaves_a_run_that_another_worker_has(start):
    run = start("tickets", some(2))
    BulkRun.objects.update(lease=uuid.uuid4(), leased_until=timezone.now() + timedelta(minutes=1))

    assert bulk.work_due()
    assert state(run) == "running"

    let_the_lease_end()
    bulk.work_due()
    assert state(run) == "done"


def test_it_does_nothing_more_once_its_lease_is_another_workers(start, monkeypatch):
    start("tickets", some(60))
    claimed = bulk._claim(timezone.now())
    let_the_lease_end()
    assert bulk._claim(timezone.now()) is not None

    assert not bulk._advance(claimed)
    assert not Case.objects.exists()


def test_it_stops_for_a_person_who_lost_the_role(start, analyst):
    run = start("tickets", some(2))
    type(analyst).objects.filter(pk=analyst.pk).update(role=Role.VIEWER)

    bulk.work_due()

    assert (state(run), run.reason) == ("stopped", "Alan Analyst may no longer do this.")
    assert not Case.objects.exists()


def test_it_stops_where_the_rest_would_fail_the_same_way(start, project):
    place = DestinationFactory(project=project)
    in_jira = start("tickets", some(2), in_jira=True)
    case = open_manual_case([], project=project, actor=None, title="Here")
    attaching = start("attach", some(1), case=str(case.pk), key=case.key)
    place.delete()
    archive(case, actor=None)

    bulk.work_due()

    assert (state(in_jira), in_jira.reason) == ("stopped", "RISK is no longer linked to Jira.")
    assert (state(attaching), attaching.reason) == ("stopped", "RISK-1 is archived.")
    assert list(Case.objects.all()) == [case]


@pytest.fixture
def breaks(monkeypatch):
    """`breaks(pk, error)`: muting this finding raises it, after the others were muted."""
    real = bulk_records.DEEDS["mute"]

    def at(pk, error=ZeroDivisionError):
        def mute(run, pks):
            results = real(run, pks)
            if pk in pks:
                raise error
            return results

        monkeypatch.setattr(bulk_records, "DEEDS", {"mute": mute})

    return at


def test_it_sets_aside_the_one_finding_that_raises_at_once(start, breaks, monkeypatch, frozen):
    pks = some(60)
    run = start("mute", pks)
    breaks(pks[30])

    assert bulk.work_due()  # within one task, and without a second of waiting

    why = "It failed: ZeroDivisionError; see the log."
    assert state(run) == "done"
    assert outcomes(run) == [("failed", why) if pk == pks[30] else ("done", "") for pk in pks]
    assert Finding.objects.filter(status="muted").count() == 59

    monkeypatch.undo()
    assert bulk.go_on(run, actor=run.actor)
    bulk.work_due()
    assert Finding.objects.filter(status="muted").count() == 60


def work_as_the_clock_rings(frozen, run, *, most):
    """The queue as it rings itself; seconds until the run is over."""
    for seconds in range(0, most, 5):
        if WORK in schedules.due():
            with suppress(SystemExit):  # what the queue ends a task with
                bulk.work_due()
        if state(run) == "done":
            return seconds
        frozen.shift(5)
    pytest.fail(f"not over after {most} s: {outcomes(run)}")


def test_a_killed_worker_delays_a_run_by_less_than_two_minutes(start, breaks, frozen):
    pks = some(60)
    run = start("mute", pks)
    breaks(pks[30], SystemExit)
    with suppress(SystemExit):
        bulk.work_due()
    breaks(0)

    assert work_as_the_clock_rings(frozen, run, most=120) <= 100
    assert set(outcomes(run)) == {("done", "")}


def test_it_sets_aside_the_one_finding_that_kills_its_workers(start, breaks, frozen):
    pks = some(60)
    run = start("mute", pks)
    breaks(pks[30], SystemExit)

    assert work_as_the_clock_rings(frozen, run, most=600) <= 4 * 95
    assert [outcome for outcome, _ in outcomes(run)].count("done") == 59
    assert run.steps.get(outcome="failed").reason.startswith("The worker was lost 3 times")


def test_a_run_that_raises_as_a_whole_does_not_stop_the_others(start, monkeypatch, frozen):
    pks = some(2)
    bad, good = start("mute", pks), start("assign", pks)
    monkeypatch.delitem(bulk.NEEDS, "mute")

    with pytest.raises(ExceptionGroup):
        bulk.work_due()

    assert (state(bad), state(good)) == ("running", "done")
    monkeypatch.undo()
    assert work_as_the_clock_rings(frozen, bad, most=60) <= 20


@pytest.mark.parametrize("deed", ["tickets", "mute", "assign", "status"])
def test_it_costs_the_same_for_few_findings_as_for_many(start, deed):
    counts = []
    for number in (5, 30):  # SQLite takes only so many values in a statement
        start(deed, some(number))
        with CaptureQueriesContext(connection) as statements:
            bulk.work_due()
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 60


def test_it_is_put_away_only_once_it_has_ended(start):
    run = start("mute", some(1))
    bulk.put_away(run)
    assert state(run) == "running"
    assert run.seen_at is None

    bulk.work_due()
    bulk.put_away(run)
    run.refresh_from_db()
    assert run.seen_at is not None


def test_it_keeps_runs_of_people_apart(start):
    other = UserFactory(role=Role.ANALYST)
    mine, theirs = start("mute", some(1)), start("mute", some(1), actor=other)
    bulk.work_due()

    assert (state(mine), state(theirs)) == ("done", "done")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deed", ["tickets", "attach", "mute"])
def test_it_tells_the_truth_whatever_statement_it_dies_at(start, project, deed):
    pks = some(3)
    case = open_manual_case([], project=project, actor=None, title="Here")
    to = {"case": str(case.pk), "key": case.key} if deed == "attach" else {}
    run = start(deed, pks, **to)
    for statement in itertools.count():
        BulkRun.objects.update(leased_until=None, tries=0)
        try:
            with dying_at(statement):
                bulk.work_due()
        except DatabaseGone:
            told = run.steps.filter(outcome="done").count()
            muted = Finding.objects.filter(status="muted").count()
            assert told == max(Attachment.objects.count(), muted)
        else:
            break

    assert statement > 5
    assert (state(run), set(outcomes(run))) == ("done", {("done", "")})
    assert Case.objects.count() == (4 if deed == "tickets" else 1)
