"""The dialog of Test Rule, by its requests: with htmx and without."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection

from automation.models import Rule, TestRun
from automation.rule_tests import execution
from tests.factories import FindingFactory
from tests.jira_places import account_at
from ticketing.models import Attachment, Case, Destination
from ticketing.services import open_manual_case
from ticketing.trackers.jira.sandbox.defaults import SELECT, TASK

HTMX = {"HX-Request": "true"}


@pytest.fixture
def finding(db):
    return FindingFactory(finding_type="secret", severity="high", title="Key in code")


@pytest.fixture
def form(project):
    """What the editor says of a rule that is not saved, nor even named."""
    return {
        "name": "",
        "types": ["secret"],
        "query": "",
        "severities": ["high"],
        "project": str(project.pk),
        "limit": "5",
    }


def ask(client, form, *, headers=HTMX, **more):
    return client.post("/rules/test", {**form, **more}, headers=headers)


@pytest.fixture
def run(as_user, editor, form, finding) -> TestRun:
    ask(as_user(editor), form, run="yes", finding=finding.finding_id)
    return TestRun.objects.get()


def test_it_offers_what_matches_the_unsaved_form(as_user, editor, form, finding):
    FindingFactory(finding_type="secret", severity="low", title="Another key")

    answer = ask(as_user(editor), form)

    body = answer.content.decode()
    assert (answer.status_code, "Key in code" in body) == (200, True)
    assert "Another key" not in body
    assert "The test creates a real case in Cloud Risk." in body
    assert "1 of 1 shown" in body
    assert "<code>@severity:high</code>" in body


def test_it_carries_the_form_along(as_user, editor, form, finding):
    body = ask(as_user(editor), form, words="key").content.decode()

    assert '<input type="hidden" name="types" value="secret">' in body
    assert body.count('name="words"') == 1


def test_it_offers_no_finding_that_has_a_ticket(as_user, editor, form, finding, project):
    open_manual_case([finding.pk], project=project, actor=editor)

    body = ask(as_user(editor), form).content.decode()

    assert "Has a ticket: RISK-1. A test leaves it alone." in body
    assert f'value="{finding.finding_id}" disabled' in body


def test_it_says_when_there_is_nothing_to_test_with(as_user, editor, form):
    body = ask(as_user(editor), form).content.decode()

    assert "No recent finding matches these criteria, so there is nothing to test with." in body


def test_it_says_what_is_missing_for_a_test(as_user, editor, form):
    answer = ask(as_user(editor), form | {"types": [], "project": ""})

    assert answer.status_code == 422
    body = answer.content.decode()
    assert "Fix 2 fields to test this rule." in body
    assert "Select at least one finding type." in body
    assert "Enter a rule name." not in body


def test_it_begins_one_test_however_often_the_form_is_sent(as_user, editor, form, finding):
    browser = as_user(editor)
    carried = ask(browser, form, submission_id="c" * 32).content.decode()
    assert carried.count('name="submission_id"') == 1
    said = form | {"run": "yes", "finding": finding.finding_id, "submission_id": "a" * 32}
    assert [ask(browser, said).status_code for _ in range(2)] == [202, 202]
    assert TestRun.objects.count() == 1
    ask(browser, said | {"submission_id": "b" * 32})
    assert TestRun.objects.count() == 2


def test_it_begins_a_test(as_user, editor, form, finding):
    answer = ask(as_user(editor), form, run="yes", finding=finding.finding_id)

    run = TestRun.objects.get()
    assert answer.status_code == 202
    assert f'hx-get="/tests/{run.pk}"' in answer.content.decode()
    assert (run.finding, run.created_by, run.rule["query"]) == (finding, editor, "@severity:high")
    assert not Rule.objects.exists()


@pytest.mark.parametrize("chosen", ["", "nonsense", "a\0b"])
def test_it_begins_nothing_without_a_finding(as_user, editor, form, finding, chosen):
    answer = ask(as_user(editor), form, run="yes", finding=chosen)

    assert answer.status_code == 422
    assert "Select a finding first." in answer.content.decode()
    assert not TestRun.objects.exists()


def test_it_begins_nothing_with_a_finding_that_was_ticketed(
    as_user, editor, form, finding, project
):
    client = as_user(editor)
    open_manual_case([finding.pk], project=project, actor=editor)

    answer = ask(client, form, run="yes", finding=finding.finding_id)

    assert "This finding has a ticket already: RISK-1." in answer.content.decode()


def test_it_shows_each_step(as_user, editor, run):
    client = as_user(editor)
    assert "Step 1 of 4" in client.get(f"/tests/{run.pk}", headers=HTMX).content.decode()

    execution.carry_on(run.pk)

    answer = client.get(f"/tests/{run.pk}", headers=HTMX)
    body = answer.content.decode()
    assert answer["HX-Retarget"] == "#test-body"
    assert "<b>Test passed.</b> RISK-1 was created and attached to the finding in" in body
    assert "Test ticket" in body


def test_it_works_without_scripts(as_user, editor, form, finding):
    client = as_user(editor)
    assert "<h1" in ask(client, form, headers={}).content.decode()

    begun = ask(client, form, headers={}, run="yes", finding=finding.finding_id)
    waiting = client.get(begun.url)
    assert waiting["Refresh"] == "1"
    execution.carry_on(TestRun.objects.get().pk)

    done = client.get(begun.url)
    assert "Refresh" not in done
    assert "Test passed." in done.content.decode()


def test_it_says_why_a_test_failed(as_user, editor, run):
    evil = "<script>alert(1)</script>"
    TestRun.objects.update(state="failed", reason=f"Team is required. {evil}", response=evil)

    body = as_user(editor).get(f"/tests/{run.pk}", headers=HTMX).content.decode()

    assert "Test failed. No ticket was created." in body
    assert "Team is required." in body
    assert "Response from Jira" in body
    assert "<script>alert" not in body


def test_it_detaches_the_ticket_of_a_test(as_user, editor, run):
    execution.carry_on(run.pk)

    body = as_user(editor).post(f"/tests/{run.pk}/detach", headers=HTMX).content.decode()

    assert "RISK-1 detached" in body
    assert "Detached. RISK-1 was not deleted." in body
    assert Case.objects.exists()
    assert not Attachment.objects.exists()


def test_it_says_which_findings_would_share_the_ticket(as_user, editor, form, finding):
    alike = {"finding_type": finding.finding_type, "resource_id": finding.resource_id}
    FindingFactory.create_batch(2, **alike)
    FindingFactory(finding_type=finding.finding_type)
    browser, said = as_user(editor), form | {"one_ticket_for": "resource"}
    ask(browser, said, run="", finding=finding.finding_id)
    run = TestRun.objects.get()
    execution.carry_on(run.pk)
    page = " ".join(browser.get(f"/tests/{run.pk}", headers=HTMX).text.split())
    assert "2 other findings of the last 30 days would share this ticket" in page
    assert "the rule makes one per resource." in page


def test_it_runs_again_and_tests_another(as_user, editor, run, finding):
    TestRun.objects.update(state="failed", reason="Jira was asleep.")
    client, again = as_user(editor), f"/tests/{run.pk}/again"

    assert "Select a matching finding." in client.post(again, headers=HTMX).content.decode()
    client.post(again, {"run": "yes", "finding": finding.finding_id}, headers=HTMX)

    assert TestRun.objects.count() == 2


@pytest.mark.parametrize("address", ["/tests/{}", "/tests/{}/again", "/tests/{}/detach"])
def test_it_shows_nobody_the_tests_of_others(as_user, admin, run, address):
    client = as_user(admin)
    for run_id in (run.pk, uuid4()):
        url = address.format(run_id)
        answer = client.get(url) if url.endswith(str(run_id)) else client.post(url)
        assert answer.status_code == 404


@pytest.mark.parametrize("address", ["/rules/test", "/tests/{}/again", "/tests/{}/detach"])
def test_it_lets_nobody_test_who_may_not(as_user, viewer, analyst, run, address):
    assert as_user(viewer).post(address.format(run.pk)).status_code == 403
    if address.endswith("test"):
        assert as_user(analyst).post(address.format(run.pk)).status_code == 403


@pytest.mark.parametrize("matching", [1, 40])
def test_it_costs_the_same_however_much_matches(
    as_user, editor, form, django_assert_num_queries, matching
):
    FindingFactory.create_batch(matching, finding_type="secret")
    client = as_user(editor)
    of_the_timeout = 4 if connection.vendor == "postgresql" else 0  # savepoint, time-out, and back

    with django_assert_num_queries(9 + of_the_timeout):
        ask(client, form)


# --- In Jira ----------------------------------------------------------------------------


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def in_jira(form, jira):
    """The form with a place in Jira that no project is linked to yet."""
    account = account_at(jira)
    place = {"account": str(account.pk), "space": jira.project("SEC").id, "type": TASK.id}
    return form | place | {"target": "jira", "project": ""}


def test_it_tests_a_place_in_jira_that_no_rule_has_yet(as_user, editor, in_jira, finding, jira):
    client = as_user(editor)
    assert "creates a real Task in SEC." in ask(client, in_jira).content.decode()
    assert not Destination.objects.exists()

    ask(client, in_jira, run="yes", finding=finding.finding_id)
    run = TestRun.objects.get()
    execution.carry_on(run.pk)

    body = client.get(f"/tests/{run.pk}", headers=HTMX).content.decode()
    assert "SEC-1 was created and attached to the finding in" in body
    assert f'href="{jira.url}/browse/SEC-1"' in body
    assert "Detaching keeps SEC-1 in Jira" in body


def test_it_says_that_a_required_field_is_missing(as_user, editor, in_jira, finding, jira):
    jira.require_field("SEC", SELECT.id)

    answer = ask(as_user(editor), in_jira)

    assert answer.status_code == 422
    assert "Team" in answer.content.decode()


def test_it_leads_to_the_field_that_jira_asked_for(as_user, editor, in_jira, finding, jira):
    client = as_user(editor)
    ask(client, in_jira, run="yes", finding=finding.finding_id)
    jira.require_field("SEC", SELECT.id)
    run = TestRun.objects.get()
    execution.carry_on(run.pk)

    body = client.get(f"/tests/{run.pk}", headers=HTMX).content.decode()

    assert "Test failed. No ticket was created." in body
    assert f'data-fixes="{SELECT.id}"' in body
    assert jira.access.token not in body
