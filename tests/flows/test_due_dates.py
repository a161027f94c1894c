"""Due dates both ways, with a Jira that answers over HTTP, of both kinds and in every zone."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from tests.factories import ExternalIssueFactory, UserFactory, opened_case
from tests.jira_places import destination_at
from ticketing import details
from ticketing.delivery import deliver_due
from ticketing.models import ExternalIssue
from ticketing.outbox import Promise, promise
from ticketing.states import State
from ticketing.sync import sync_due
from ticketing.trackers.jira.sandbox.defaults import BOT
from ticketing.trackers.jira.sandbox.defaults import DATE_TIME as MOMENT

pytestmark = pytest.mark.django_db
FIRST, SECOND = date(2026, 12, 1), date(2026, 12, 2)


@pytest.fixture(params=["cloud", "data_center"])
def jira(request, frozen, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    names = {"cloud": "sandbox_jira", "data_center": "sandbox_data_center"}
    jira = request.getfixturevalue(names[request.param])
    jira.put_field("SEC", MOMENT)
    jira.deployment = request.param
    return jira


@pytest.fixture
def place(jira):
    place = destination_at(jira)
    place.account.deployment = jira.deployment
    place.account.save()
    return place


def synced_as(place, field):
    place.sync_due_date, place.due_date_field = "two_way", field
    place.due_date_has_time = field == MOMENT.id
    place.save()


@pytest.fixture
def issue(jira, place):
    there = jira.create_issue("SEC", "Outdated library", by=BOT)
    return ExternalIssueFactory(
        case=opened_case(place.project),
        account=place.account,
        state=State.CREATED,
        issue_id=str(there.id),
        issue_key=there.key,
        sync_due_at=timezone.now(),
    )


@pytest.fixture
def dana(db):
    return UserFactory(name="Dana Developer", email="dana@example.com")


def written(jira):
    return [one.json["fields"] for one in jira.log.matching("PUT /issue/[0-9]+$")]


def due(issue):
    issue.case.refresh_from_db()
    return issue.case.due_date, issue.case.is_due_by_hand


def look(frozen):
    frozen.shift(60)
    ExternalIssue.objects.update(sync_due_at=timezone.now())
    sync_due()


@pytest.mark.parametrize(
    ("field", "sent", "edited"),
    [
        ("duedate", "2026-12-01", "2026-12-02"),
        (MOMENT.id, "2026-12-01T23:59:00.000+0000", "2026-12-03T13:58:00.000+1400"),
        (MOMENT.id, "2026-12-01T23:59:00.000+0000", "2026-12-01T23:30:00.000-1200"),
    ],
)
def test_the_day_goes_there_and_back(issue, jira, place, frozen, dana, field, sent, edited):
    synced_as(place, field)
    look(frozen)
    frozen.shift(60)
    details.set_due_date(issue.case, FIRST, actor=dana)
    sync_due()
    assert written(jira) == [{field: sent}]
    look(frozen)
    assert due(issue) == (FIRST, True)
    frozen.shift(60)
    jira.edit(issue.issue_key, **{field: edited})
    look(frozen)
    assert due(issue) == (SECOND, True)
    frozen.shift(60)
    jira.edit(issue.issue_key, **{field: None})
    look(frozen)
    assert due(issue) == (None, True)
    assert len(written(jira)) == 1


@pytest.mark.parametrize(
    ("field", "sent"), [("duedate", "2026-12-01"), (MOMENT.id, "2026-12-01T23:59:00.000+0000")]
)
def test_a_new_issue_has_the_day_and_is_in_step(jira, place, frozen, field, sent):
    synced_as(place, field)
    case = opened_case(place.project)
    type(case).objects.update(due_date=FIRST)
    promise([(case, Promise({}))])
    deliver_due()
    [there] = [one.json["fields"] for one in jira.log.matching("POST /issue$")]
    assert there[field] == sent
    look(frozen)
    assert case.timeline.filter(kind="due_date").count() == 0
    assert written(jira) == []


def test_a_screen_without_the_field_costs_no_ticket(jira, place, frozen):
    synced_as(place, "duedate")
    jira.drop_field("SEC", "duedate")
    case = opened_case(place.project)
    type(case).objects.update(due_date=FIRST)
    promise([(case, Promise({}))])
    for _ in range(3):
        deliver_due()
        frozen.shift(60)
    assert ExternalIssue.objects.get().state == State.CREATED
