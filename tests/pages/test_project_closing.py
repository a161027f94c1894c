"""What a project answers when Jira asks for something to close an issue."""

from __future__ import annotations

import pytest
from django.utils import timezone

from config.accounts.audit.log import Filter, page_of_log
from tests.factories import ExternalIssueFactory, opened_case
from tests.jira_places import destination_at
from tests.pages.test_project_sync import SAID, SYNC
from ticketing.models import ClosingAnswer, ExternalIssue
from ticketing.states import State
from ticketing.trackers.jira.sandbox.defaults import SELECT

pytestmark = pytest.mark.django_db
TEAM = SELECT.id
CAUSE = "customfield_10060"


@pytest.fixture
def place(project, sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return destination_at(sandbox_jira, project=project)


@pytest.fixture
def blocked(place):
    return ExternalIssueFactory(
        case=opened_case(place.project),
        account=place.account,
        state=State.CREATED,
        issue_id="1",
        issue_key="SEC-1",
        sync_problem="Jira asks for “Root cause”.",
        closing_field=CAUSE,
        closing_field_name="Root cause",
    )


def stored():
    return {(each.reason, each.field): each.value for each in ClosingAnswer.objects.all()}


def test_it_says_what_is_answered_where_nothing_is_set(as_user, editor, place):
    page = as_user(editor).get(SYNC).content.decode()
    assert "When we close an issue in Jira" in page
    for usual in ("Fixed, Done, Resolved", "Risk Accepted, Won&#x27;t Do, Won&#x27;t Fix"):
        assert f'placeholder="{usual}"' in page


def test_it_saves_answers_and_says_so_in_the_audit_log(as_user, editor, place):
    browser = as_user(editor)
    said = {"closing_fixed_resolution": " Patched ,Done", "closing_removed_resolution": "Obsolete"}
    assert browser.post(SYNC, SAID | said).status_code == 302
    assert stored() == {
        ("fixed", "resolution"): "Patched, Done",
        ("removed", "resolution"): "Obsolete",
    }
    browser.post(SYNC, SAID | {"closing_fixed_resolution": ""})
    assert stored() == {("removed", "resolution"): "Obsolete"}
    browser.post(SYNC, SAID)  # a page of an earlier version sends none, and changes none
    assert stored() == {("removed", "resolution"): "Obsolete"}
    entries = page_of_log(Filter(kind="closinganswer")).entries
    assert [entry.event.action for entry in entries] == ["deleted", "created", "created"]
    assert {entry.person for entry in entries} == {editor}


def test_a_field_is_added_and_answered(as_user, editor, place):
    browser = as_user(editor)
    page = browser.post(SYNC, SAID | {"closing_add": TEAM}, follow=True).content.decode()
    assert f'name="closing_risk_accepted_{TEAM}"' in page
    said = {f"closing_name_{TEAM}": "Team", f"closing_fixed_{TEAM}": "{{tags.team}}"}
    browser.post(SYNC, SAID | said)
    assert stored() == {("fixed", TEAM): "{{tags.team}}"}
    assert ClosingAnswer.objects.get().name == "Team"
    assert "{{tags.team}}" in browser.get(SYNC).content.decode()


def test_it_offers_the_field_that_tickets_wait_for(as_user, editor, place, blocked):
    browser = as_user(editor)
    sentence = "Jira asks for “Root cause” to close 1 ticket."
    for address in (SYNC, "/cases/projects/RISK"):
        assert sentence in browser.get(address).content.decode()
    assert "1 not closed" in browser.get("/cases/projects").content.decode()
    assert "Set an answer</a>" in browser.get(f"/cases/{blocked.case.key}").content.decode()
    browser.post(SYNC, SAID | {f"closing_fixed_{CAUSE}": "Patched"})
    assert stored() == {("fixed", CAUSE): "Patched"}
    assert ExternalIssue.objects.get().sync_due_at <= timezone.now()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (f"closing_fixed_{CAUSE}", "{{colour}}", "Nothing is called “{{colour}}”."),
        (f"closing_fixed_{CAUSE}", "{{title", "is not closed."),
        (f"closing_fixed_{CAUSE}", "x" * 32_768, "Root cause is longer than 32767 characters."),
        ("closing_fixed_resolution", "{{title}}", "A resolution is chosen by its name."),
        ("closing_fixed_resolution", "x" * 256, "Resolution is longer than 255 characters."),
        ("closing_add", "customfield_1", "This field is no longer offered."),
    ],
)
def test_it_says_what_is_wrong_and_loses_nothing(
    as_user, editor, place, blocked, name, value, sentence
):
    kept = {"closing_removed_resolution": "Obsolete"}
    answer = as_user(editor).post(SYNC, SAID | kept | {name: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert 'value="Obsolete"' in page
    assert stored() == {}
    place.refresh_from_db()
    assert place.sync_title == "once"


@pytest.mark.parametrize("name", ["closing_name_", "closing_name_a b", f"closing_name_{'x' * 300}"])
def test_it_knows_no_field_by_a_name_that_is_none(as_user, editor, place, name):
    field = name.removeprefix("closing_name_")
    said = {name: "Field", f"closing_fixed_{field}": "value"}
    assert as_user(editor).post(SYNC, SAID | said).status_code == 302
    assert stored() == {}


def test_it_can_be_answered_while_jira_is_silent(as_user, editor, place, blocked, sandbox_jira):
    sandbox_jira.stop()
    said = {f"closing_fixed_{CAUSE}": "Patched", "priority_P1": "", "status_CLOSED": ""}
    assert as_user(editor).post(SYNC, SAID | said).status_code == 302
    assert stored() == {("fixed", CAUSE): "Patched"}


# --- The case ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "label"), [("risk_accepted", "Risk accepted"), ("false_positive", "False positive")]
)
def test_a_person_closes_a_case_against_a_fix(as_user, analyst, place, reason, label):
    case = opened_case(place.project)
    browser = as_user(analyst)
    assert (
        f'name="close_reason" value="{reason}"'
        in browser.get(f"/cases/{case.key}").content.decode()
    )
    sent = {"close_reason": reason, "seen": case.modified_at.isoformat()}
    page = browser.post(f"/cases/{case.key}/change", sent, follow=True).content.decode()
    case.refresh_from_db()
    assert (case.status, case.close_reason, case.stays_closed) == ("CLOSED", reason, True)
    assert f"<dd>{label}" in page
    assert "Stays closed if it is reported again" in page


def test_a_project_may_reopen_them_all_the_same(as_user, editor, place):
    switches = {"closes_with_findings": "on", "reopens_with_findings": "on"}
    said = {"name": "Cloud Risk", **switches, "reopens_wont_fix": "on"}
    as_user(editor).post("/cases/projects/RISK", said)
    place.project.refresh_from_db()
    assert place.project.reopens_wont_fix
    assert 'name="reopens_wont_fix" checked' in (
        as_user(editor).get("/cases/projects/RISK").content.decode()
    )
