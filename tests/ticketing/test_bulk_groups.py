"""Bulk runs with one ticket for each group, whatever dies and whenever."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from findings.models import Finding
from tests.factories import FindingFactory, ProjectFactory
from tests.flows.test_hostile_death import DatabaseGone, dying_at
from ticketing import bulk, bulk_groups
from ticketing.models import Attachment, BulkRun, BulkStep, Case
from ticketing.services import archive, change_case, open_manual_case

SAID = {"assignee": None, "in_jira": False, "fields": {}, "move": False}


@pytest.fixture
def project(db):
    return ProjectFactory(key="RISK")


@pytest.fixture
def start(analyst, project):
    """`start({"a": 3, "b": 2})`: a run of so many findings of each team, "" for none."""

    def begin(teams, per="team", **said):
        found = []
        for team, number in teams.items():
            tags = [f"team:{team}"] if team else []
            found += [(FindingFactory(tags=tags).pk, (team,)) for _ in range(number)]
        pks, starts = bulk_groups.in_groups(found)
        chosen = SAID | {"project": str(project.pk), "per": per.split(","), "starts": starts} | said
        return bulk.start(
            uuid.uuid4(), deed="tickets", said=chosen, finding_pks=pks, search="", actor=analyst
        )

    return begin


def sizes() -> Counter[int]:
    """How many tickets have so many findings."""
    return Counter(Counter(Attachment.objects.values_list("case", flat=True)).values())


def work_step_by_step(run):
    while BulkRun.objects.filter(pk=run.pk, state="running").exists():
        BulkRun.objects.update(leased_until=None, tries=0)
        bulk.work_due(seconds=-1)


def test_findings_stand_in_the_order_of_their_groups():
    found = [(1, ("a",)), (2, ("",)), (3, ("b",)), (4, ("a",)), (5, ("",))]

    assert bulk_groups.in_groups(found) == ([1, 4, 2, 3, 5], [1, 3, 4, 5])


def test_it_opens_a_ticket_for_each_group_and_one_for_each_that_is_in_none(start):
    start({"a": 70, "b": 3, "": 2, "c": 1})

    assert bulk.work_due()

    assert sizes() == {70: 1, 3: 1, 1: 3}
    titles = list(Case.objects.order_by("number").values_list("title", flat=True))
    assert titles[:2] == ["a: 70 findings", "b: 3 findings"]
    told = Case.objects.get(title="a: 70 findings").description
    assert told.count("/findings/") == 50
    assert "And 20 more." in told


def test_findings_keep_the_tickets_they_have(start, project):
    run = start({"a": 3, "b": 1})
    pks = list(run.steps.values_list("finding", flat=True))
    held = open_manual_case([pks[1], pks[3]], project=project, actor=None)

    bulk.work_due()

    assert sizes() == {2: 2}
    assert Attachment.objects.filter(case=held).count() == 2
    reasons = list(run.steps.values_list("outcome", "reason"))
    kept, done = ("skipped", "It has RISK-1."), ("done", "")
    assert reasons == [done, kept, done, kept]


def test_findings_move_when_asked_to(start, project):
    run = start({"a": 3, "b": 1}, move=True)
    held = open_manual_case([run.steps.first().finding_id], project=project, actor=None)

    bulk.work_due()

    assert sizes() == {3: 1, 1: 1}
    assert not Attachment.objects.filter(case=held).exists()


def test_the_next_ticket_continues_one_that_is_full(start, monkeypatch):
    monkeypatch.setattr(bulk_groups, "MAX_FINDINGS_OF_GROUP", 60)
    start({"a": 130})

    bulk.work_due()

    assert sizes() == {60: 2, 10: 1}
    continued = Case.objects.filter(description__contains="It continues RISK-").order_by("number")
    assert list(continued.values_list("title", flat=True)) == ["a: 60 findings", "a: 10 findings"]


@pytest.mark.parametrize("how", ["archived", "closed"])
def test_a_ticket_that_was_put_away_meanwhile_takes_no_more(start, analyst, how):
    run = start({"a": 60})
    bulk.work_due(seconds=-1)
    [first] = Case.objects.all()
    if how == "archived":
        archive(first, actor=analyst)
    else:
        change_case(first, actor=analyst, status="CLOSED")

    work_step_by_step(run)

    assert sizes() == {50: 1, 10: 1}


def test_what_failed_is_tried_again_on_the_ticket_of_its_group(start, analyst):
    run = start({"a": 3, "b": 2})
    bulk.work_due()
    last = run.steps.get(position=3)
    Attachment.objects.filter(finding=last.finding_id).delete()
    BulkStep.objects.filter(pk=last.pk).update(outcome="failed", case=None)

    bulk.go_on(run, actor=analyst)
    bulk.work_due()

    assert sizes() == {3: 1, 2: 1}


@pytest.mark.django_db(transaction=True)
def test_a_group_has_one_ticket_whatever_statement_a_worker_dies_at(start, monkeypatch):
    monkeypatch.setattr(bulk, "CHUNK", 2)
    run = start({"a": 3, "b": 2, "": 1})
    for statement in itertools.count():
        BulkRun.objects.update(leased_until=None, tries=0)
        try:
            with dying_at(statement):
                bulk.work_due()
        except DatabaseGone:
            done = set(run.steps.filter(outcome="done").values_list("finding", "case"))
            assert done == set(Attachment.objects.values_list("finding", "case"))
        else:
            break

    assert statement > 20
    assert sizes() == {3: 1, 2: 1, 1: 1}


def test_a_chunk_takes_as_many_statements_however_large_its_group_is(start):
    taken = []
    for number in (100, 400):
        run = start({f"of {number}": number})
        BulkRun.objects.exclude(pk=run.pk).delete()
        with CaptureQueriesContext(connection) as queries:
            bulk.work_due(seconds=-1)
        taken.append(len(queries))
        run.delete()

    assert taken[0] == taken[1]


def test_what_was_grouped_may_be_gone_or_changed_by_now(start):
    run = start({"a": 3, "b": 2})
    Finding.objects.filter(tags=["team:a"]).update(tags=["team:b"], first_seen_at=timezone.now())
    run.steps.get(position=1).finding.delete()

    bulk.work_due()

    assert sizes() == {2: 2}


def test_it_changes_the_severity(start, analyst):
    pks = [FindingFactory(severity="high").pk for _ in range(2)]
    said = {"severity": "low", "description": "Not reachable"}
    ask = {"finding_pks": pks, "search": "", "actor": analyst}
    bulk.start(uuid.uuid4(), deed="severity", said=said, **ask)
    bulk.work_due()
    assert set(Finding.objects.values_list("severity", "person_severity")) == {("low", "low")}

    bulk.start(uuid.uuid4(), deed="severity", said=said | {"severity": None}, **ask)
    bulk.work_due()
    assert set(Finding.objects.values_list("severity", "person_severity")) == {("high", "")}
