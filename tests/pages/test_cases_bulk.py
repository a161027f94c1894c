"""Check boxes in the list of cases, and what is done with what they choose."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.factories import ExternalIssueFactory, FindingFactory, UserFactory
from ticketing import services
from ticketing.models import Case, ExternalIssue
from ticketing.states import State

BULK = "/cases/bulk"


@pytest.fixture
def cases(project) -> list[Case]:
    pks = [FindingFactory().pk for _ in range(3)]
    return services.open_case_each(pks, project=project, actor=None)


def send(client, cases=(), **said):
    said = {"case": [str(case.pk) for case in cases], "next": "/cases?q=x"} | said
    return client.post(BULK, said)


def toasts(client) -> str:
    return client.get("/cases").content.decode().partition('id="toasts"')[2]


@pytest.mark.parametrize(
    ("said", "values", "told"),
    [
        ({"status": "CLOSED"}, {"status": "CLOSED"}, "2 cases set to Closed"),
        ({"close_reason": "false_positive"}, {"stays_closed": True}, "Closed: false positive"),
        ({"priority": "P1"}, {"priority": "P1"}, "Priority of 2 cases set to P1 Critical"),
        (
            {"do": "due", "due_date": "2026-12-01"},
            {"due_date": "2026-12-01"},
            "Due date of 2 cases set to 1 Dec 2026",
        ),
    ],
)
def test_it_changes_those_that_are_checked(as_user, analyst, cases, said, values, told):
    client = as_user(analyst)

    answer = send(client, cases[:2], **said)

    assert answer.url == "/cases?q=x"
    assert set(Case.objects.filter(**values)) == set(cases[:2])
    assert told in toasts(client)


def test_it_assigns_and_unassigns(as_user, analyst, editor, cases):
    client = as_user(analyst)
    send(client, cases, assignee=str(editor.pk))
    assert "3 cases assigned to Edith Editor" in toasts(client)
    send(client, cases[:1], assignee="")
    assert "1 case unassigned" in toasts(client)
    assert Case.objects.filter(assignee=editor).count() == 2


def test_it_asks_before_it_archives_and_takes_back_at_once(as_user, analyst, cases):
    client = as_user(analyst)

    asked = send(client, cases[:2], do="archive")
    assert "Archive 2 cases?" in asked.text
    assert not Case.objects.exclude(archived_at=None).exists()

    send(client, cases[:2], do="archive", confirmed="yes", expected="2")
    assert Case.objects.exclude(archived_at=None).count() == 2
    send(client, cases[:2], do="unarchive")
    assert not Case.objects.exclude(archived_at=None).exists()


def test_it_changes_all_that_the_list_holds(as_user, analyst, cases):
    client = as_user(analyst)
    services.change_case(cases[2], status="IN_PROGRESS", actor=None)
    whole = {"whole": "yes", "search": "status=OPEN", "priority": "P2"}

    asked = send(client, **whole)
    assert "Priority of 2 cases set to P2 High?" in asked.text
    assert 'name="expected" value="2"' in asked.text
    services.change_case(cases[2], status="OPEN", actor=None)
    assert "Priority of 3 cases" in send(client, **whole, confirmed="yes", expected="2").text

    send(client, **whole, confirmed="yes", expected="3")
    assert Case.objects.filter(priority="P2").count() == 3


def test_it_refuses_more_than_it_takes(as_user, analyst, cases, monkeypatch):
    monkeypatch.setattr("ticketing.views.case_bulk.MAX_CASES", 2)
    client = as_user(analyst)
    send(client, whole="yes", search="", priority="P5", confirmed="yes", expected="3")
    assert "The list has more than 2 cases." in toasts(client)
    assert not Case.objects.filter(priority="P5").exists()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "Choose what to change."),
        ({"status": "LOST"}, "Select a valid choice"),
        ({"do": "explode"}, "Select a valid choice"),
        ({"do": "due", "due_date": "tomorrow"}, "Write the day as YYYY-MM-DD."),
        ({"do": "due", "due_date": "0001-01-01"}, "between the years 2000 and 2199"),
        ({"do": "due", "due_date": "9999-12-31"}, "between the years 2000 and 2199"),
        ({"do": "due"}, "Choose a day."),
        ({"assignee": "gone"}, "That person is not active."),
        ({"priority": "P1", "case": ["no-id"]}, "Select cases first."),
        ({"whole": "yes", "search": "q=lost:x", "priority": "P1"}, "Select cases first."),
    ],
)
def test_it_refuses_what_it_cannot_do(as_user, analyst, cases, said, told):
    if said.get("assignee"):
        said = {"assignee": str(UserFactory(is_active=False).pk)}
    client = as_user(analyst)
    before = list(Case.objects.values())
    send(client, cases, **said)
    assert told in toasts(client)
    assert list(Case.objects.values()) == before


def test_a_field_beside_another_button_is_not_read(as_user, analyst, cases):
    send(as_user(analyst), cases[:1], priority="P1", due_date="tomorrow")
    assert Case.objects.get(priority="P1", due_date=None) == cases[0]


def test_it_names_what_was_not_changed(as_user, analyst, cases):
    client = as_user(analyst)
    services.archive(cases[0], actor=None)
    ids = [str(uuid4()), *(str(case.pk) for case in cases)]

    send(client, case=ids, status="CLOSED")

    told = toasts(client)
    assert "2 cases set to Closed" in told
    assert "2 cases not changed" in told
    assert "1 case no longer exists. RISK-1: Archived: unarchive it first." in told


def test_it_retries_all_that_failed(as_user, analyst, project):
    said = {"state": State.BLOCKED, "fault": "rejected", "reason": "No."}
    failed = [ExternalIssueFactory(**said).case for _ in range(2)]
    client = as_user(analyst)
    assert 'name="do" value="retry">' in client.get("/cases?view=failed").text

    send(client, failed, do="retry")

    assert ExternalIssue.objects.filter(state=State.PENDING).count() == 2
    assert "2 cases tried again" in toasts(client)


def test_it_is_for_who_may_change_cases(as_user, viewer, cases):
    client = as_user(viewer)
    assert send(client, cases, status="CLOSED").status_code == 403
    assert 'name="case"' not in client.get("/cases").text
    assert not Case.objects.filter(status="CLOSED").exists()
