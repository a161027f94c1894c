"""Data Sync Settings of a project."""

from __future__ import annotations

import pytest

from tests.factories import DestinationFactory, JiraAccountFactory
from ticketing.models import Destination
from ticketing.trackers.jira.sandbox.defaults import DATE_TIME

pytestmark = pytest.mark.django_db


@pytest.fixture
def destination(project, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    account = JiraAccountFactory(
        name="Acme",
        site_url=sandbox_jira.url,
        email=sandbox_jira.access.email,
        token=sandbox_jira.access.token,
        user_id="",
    )
    space = next(each for each in sandbox_jira.site.projects.values() if each.key == "SEC")
    return DestinationFactory(project=project, account=account, space_id=space.id)


SYNC = "/cases/projects/RISK/sync"
SAID = {
    "sync_title": "off",
    "sync_description": "once",
    "sync_status": "two_way",
    "sync_assignee": "two_way",
    "sync_priority": "two_way",
    "sync_comments": "off",
    "status_CLOSED": "10002",
    "priority_P1": "1",
    "no_way_back": "leave",
}


def test_it_offers_the_statuses_and_priorities_of_the_jira(as_user, editor, destination):
    page = as_user(editor).get(SYNC).content.decode()
    for said in ("Two-way sync", "Once to Jira at creation", "To Do", "Won&#x27;t Do", "Highest"):
        assert said in page
    for name in ("Highest", "High", "Medium", "Low", "Lowest"):
        assert f'<option value="" selected>By name: {name}</option>' in page
    assert "By name: P1 Highest, P2 High, P3 Medium, P4 Low, P5 Lowest" in page
    assert "Shared by every rule and person that uses this project." in page


@pytest.mark.parametrize(
    ("dropped", "sentence"),
    [("Highest", "Nearest: High<"), (None, "Left to Jira: a new ticket has no priority there")],
)
def test_it_says_what_stands_for_a_priority_that_jira_lacks(
    as_user, editor, destination, sandbox_jira, dropped, sentence
):
    if dropped:
        sandbox_jira.drop_option("SEC", "priority", dropped)
    else:
        sandbox_jira.drop_field("SEC", "priority")
    assert sentence in as_user(editor).get(SYNC).content.decode()


def test_it_saves_the_field_that_due_dates_are_in(as_user, editor, destination, sandbox_jira):
    sandbox_jira.put_field("SEC", DATE_TIME)
    page = as_user(editor).get(SYNC).content.decode()
    assert f'<option value="{DATE_TIME.id}">Detected at</option>' in page
    assert '<option value="duedate" selected>Due date</option>' in page
    assert "Created" not in page.partition("Field in Jira")[2].partition("</select>")[0]
    said = SAID | {"sync_due_date": "two_way", "due_date_field": DATE_TIME.id}
    as_user(editor).post(SYNC, said)
    destination.refresh_from_db()
    assert (destination.sync_due_date, destination.due_date_place) == (
        "two_way",
        (DATE_TIME.id, True),
    )
    as_user(editor).post(SYNC, SAID)  # a page from before it was there
    destination.refresh_from_db()
    assert (destination.sync_due_date, destination.due_date_has_time) == ("two_way", True)
    assert as_user(editor).post(SYNC, said | {"due_date_field": "summary"}).status_code == 422


def test_it_saves_them(as_user, editor, destination):
    page = as_user(editor).post(SYNC, SAID, follow=True).content.decode()
    destination.refresh_from_db()
    assert "Data sync settings of Cloud Risk saved" in page
    assert destination.status_mapping == {"CLOSED": "10002"}
    assert destination.priority_mapping == {"P1": "1"}
    assert (destination.sync_title, destination.no_way_back) == ("off", "leave")
    assert destination.history.first().history_user == editor


@pytest.mark.parametrize(
    "said", [{"sync_title": "sometimes"}, {"status_CLOSED": "99"}, {"no_way_back": "x"}]
)
def test_it_refuses_what_is_no_choice(as_user, editor, destination, said):
    response = as_user(editor).post(SYNC, SAID | said)
    assert response.status_code == 422
    assert 'class="error"' in response.content.decode()
    assert Destination.objects.get().sync_title == "once"


def test_it_can_be_changed_while_jira_is_silent(as_user, editor, destination, sandbox_jira):
    Destination.objects.update(status_mapping={"CLOSED": "10002"})
    sandbox_jira.stop()
    page = as_user(editor).get(SYNC).content.decode()
    assert "Jira did not return its statuses and priorities." in page
    as_user(editor).post(SYNC, SAID | {"priority_P1": ""})
    destination.refresh_from_db()
    assert destination.status_mapping == {"CLOSED": "10002"}
    assert destination.sync_title == "off"


def test_it_is_reached_from_the_project(as_user, editor, destination):
    for address in ("/cases/projects", "/cases/projects/RISK"):
        assert f'href="{SYNC}"' in as_user(editor).get(address).content.decode()


def test_it_unlinks_after_asking(as_user, editor, destination):
    address = "/cases/projects/RISK/unlink"
    assert "Unlink Cloud Risk from Jira?" in as_user(editor).get(address).content.decode()
    as_user(editor).post(address)
    assert not Destination.objects.exists()


@pytest.mark.parametrize("page", ["sync", "unlink"])
def test_it_is_for_those_who_may_write_projects(as_user, analyst, destination, page):
    assert as_user(analyst).get(f"/cases/projects/RISK/{page}").status_code == 403
    assert as_user(analyst).post(f"/cases/projects/RISK/{page}").status_code == 403


@pytest.mark.parametrize("page", ["sync", "unlink"])
def test_it_does_not_find_what_is_not_linked(as_user, editor, project, page):
    for key in ("RISK", "NONE", "%00"):
        assert as_user(editor).get(f"/cases/projects/{key}/{page}").status_code == 404


def test_it_shows_the_tabs_to_those_who_may_open_them_all(as_user, editor, admin, project):
    assert "Delivery log" not in as_user(editor).get("/cases/projects").content.decode()
    assert "Delivery log" in as_user(admin).get("/cases/projects").content.decode()
