"""The issue in Jira on the pages of cases and findings, and what people do about it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import FindingFactory
from tests.jira_places import destination_at
from ticketing import services
from ticketing.delivery import deliver_due
from ticketing.issues import issue_of
from ticketing.models import Case, ExternalIssue, TimelineEntry
from ticketing.outbox import Promise

CREATE = r"POST .*/issue$"
REFUSAL = {"errorMessages": ["The workflow says no."], "errors": {}}
DEEDS = ("sync", "retry", "recreate", "unlink", "cancel", "absent", "create", "nonsense")


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(db, jira, project):
    return destination_at(jira, project=project)


@pytest.fixture
def finding(db):
    return FindingFactory(title="Leaked key", severity="critical")


@pytest.fixture
def case(place, finding, analyst) -> Case:
    """RISK-1, whose issue is promised."""
    promise = Promise({})
    return services.open_manual_case(
        [finding.pk], project=place.project, actor=analyst, promise=promise
    )


def show(browser, query="") -> str:
    return browser.get(f"/cases/RISK-1{query}").content.decode()


def do(browser, deed, **more):
    return browser.post("/cases/RISK-1/issue", {"do": deed, "confirmed": "yes", **more})


def changed(**values) -> None:
    ExternalIssue.objects.update(**values)


def test_it_shows_an_issue_on_its_way(as_user, viewer, case):
    shown = show(as_user(viewer))

    assert "Jira sync" in shown
    assert "Creating…" in shown
    assert "Not created yet" in shown
    assert "Open in Jira" not in shown


def test_it_shows_the_issue_in_step(as_user, analyst, case, jira):
    deliver_due()
    changed(synced_at=timezone.now(), remote_status="To Do", sync_due_at=None)

    shown = show(as_user(analyst))

    assert f'href="{jira.url}/browse/SEC-1"' in shown
    assert "In sync" in shown
    assert "To Do" in shown
    assert "It is also posted to SEC-1." in shown
    assert "Created in Jira as <b>SEC-1</b>" in shown


def test_it_says_a_resolution_only_if_the_status_does_not(as_user, viewer, case, jira):
    deliver_due()
    for resolution, said in (("Done", "<dd>Done<"), ("Won't Do", "<dd>Done · Won&#x27;t Do<")):
        changed(synced_at=timezone.now(), remote_status="Done", remote_resolution=resolution)
        assert said in as_user(viewer).get(f"/cases/{case.key}").text


def test_it_posts_no_comment_that_is_not_synced(as_user, analyst, case, place):
    deliver_due()
    place.sync_comments = "off"
    place.save()

    assert "It is also posted to" not in show(as_user(analyst))


def test_it_marks_what_came_from_jira(as_user, viewer, case):
    deliver_due()
    TimelineEntry.objects.create(case=case, kind="comment", after="On it.", author="Dana <b>")

    shown = show(as_user(viewer))

    assert "Dana &lt;b&gt;" in shown
    assert "from Jira" in shown


def test_it_shows_the_sync_alone(as_user, viewer, case):
    deliver_due()

    shown = show(as_user(viewer), "?activity=sync")

    assert "Created in Jira as" in shown
    assert "Case created" not in shown


def test_it_retries_what_jira_refused(as_user, analyst, case, jira):
    jira.faults.answer(CREATE, 400, REFUSAL)
    deliver_due()
    browser = as_user(analyst)
    assert "The workflow says no." in show(browser)

    do(browser, "retry")
    deliver_due()

    assert issue_of(case).issue_key == "SEC-1"


def test_it_cancels_what_jira_refused(as_user, analyst, case, jira):
    jira.faults.answer(CREATE, 400, REFUSAL)
    deliver_due()

    do(as_user(analyst), "cancel")

    assert issue_of(case) is None
    assert "Create in Jira" in show(as_user(analyst))


def test_it_creates_the_issue_of_a_case_that_has_none(as_user, analyst, place, jira):
    services.open_manual_case([], project=place.project, title="By hand", actor=analyst)

    do(as_user(analyst), "create")
    deliver_due()

    assert jira.issue("SEC-1").fields["summary"] == "By hand"


def test_it_promises_one_issue_however_often_it_is_asked(as_user, analyst, place):
    services.open_manual_case([], project=place.project, title="By hand", actor=analyst)
    for _ in range(2):
        do(as_user(analyst), "create")

    assert ExternalIssue.objects.count() == 1


def test_it_creates_again_what_a_person_did_not_find(as_user, analyst, case, jira):
    changed(state="blocked", fault="unsure", reason="Nobody knows.")
    browser = as_user(analyst)
    assert "Not created: create again" in show(browser)
    asked = browser.post("/cases/RISK-1/issue", {"do": "absent"}).content.decode()
    assert "Only do this if you have checked that it is not in Jira" in asked

    do(browser, "absent")
    deliver_due()

    assert len(jira.issues("SEC")) == 1


def test_it_recreates_a_deleted_issue(as_user, analyst, case, jira):
    deliver_due()
    jira.delete("SEC-1")
    changed(gone_at=timezone.now())
    browser = as_user(analyst)
    assert "SEC-1 is gone from Jira." in show(browser)

    do(browser, "recreate")
    deliver_due()

    assert issue_of(case).issue_key == "SEC-2"
    assert ExternalIssue.objects.count() == 2


def test_it_unlinks_the_issue_and_deletes_nothing(as_user, analyst, case, jira):
    deliver_due()
    browser = as_user(analyst)
    asked = browser.post("/cases/RISK-1/issue", {"do": "unlink"}).content.decode()
    assert "The ticket stays in Jira" in asked
    assert issue_of(case)

    do(browser, "unlink")

    assert issue_of(case) is None
    assert len(jira.issues("SEC")) == 1


def test_it_links_an_issue_that_is_there(as_user, analyst, place, jira):
    case = services.open_manual_case([], project=place.project, title="By hand", actor=analyst)
    key = jira.create_issue("SEC", "Theirs").key

    as_user(analyst).post("/cases/RISK-1/link", {"address": key})

    assert issue_of(case).issue_key == key
    assert f"Jira issue <b>{key}</b> linked by <b>Alan Analyst</b>" in show(as_user(analyst))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("", "Enter a Jira key or URL."),
        ("SEC-77", "SEC-77 was not found"),
        ("javascript:alert(1)", "is not a case key"),
        ("SEC-1", "It belongs to RISK-1 already."),
    ],
)
def test_it_says_why_nothing_is_linked(as_user, analyst, case, place, address, why):
    deliver_due()
    services.open_manual_case([], project=place.project, title="Other", actor=analyst)

    answer = as_user(analyst).post("/cases/RISK-2/link", {"address": address})

    assert answer.status_code == 422
    assert why in answer.content.decode()


@pytest.mark.parametrize("deed", DEEDS)
def test_it_says_when_it_is_too_late(as_user, analyst, place, deed):
    archived = services.open_manual_case([], project=place.project, title="x", actor=analyst)
    services.archive(archived, actor=analyst)

    answer = do(as_user(analyst), deed)

    assert answer.url == "/cases/RISK-1"
    assert not ExternalIssue.objects.exists()


@pytest.mark.parametrize("deed", DEEDS)
def test_it_lets_no_viewer_touch_the_issue(as_user, viewer, case, deed):
    assert do(as_user(viewer), deed).status_code == 403
    assert as_user(viewer).post("/cases/RISK-1/link").status_code == 403


# --- Elsewhere --------------------------------------------------------------------------


def test_it_lists_the_issues_with_their_state(as_user, analyst, case, jira):
    browser = as_user(analyst)
    assert "Creating…" in browser.get("/cases").content.decode()

    deliver_due()
    changed(sync_problem="Jira said no.")

    body = browser.get("/cases").content.decode()
    assert f'href="{jira.url}/browse/SEC-1"' in body
    assert "Sync failed" in body
    assert 'aria-label="Retry RISK-1"' in body
    assert "RISK-1" in browser.get("/cases?view=failed").content.decode()
    changed(sync_problem="")
    assert "RISK-1" not in browser.get("/cases?view=failed").content.decode()


def test_it_finds_a_case_by_its_key_in_jira(as_user, viewer, case):
    deliver_due()

    assert "RISK-1" in as_user(viewer).get("/cases?q=sec-1").content.decode()


def test_it_costs_the_same_for_an_issue_as_for_fifty(as_user, viewer, place, analyst):
    browser, costs = as_user(viewer), []
    for number in (1, 49):
        for _ in range(number):
            services.open_manual_case(
                [], project=place.project, title="x", actor=analyst, promise=Promise({})
            )
        with CaptureQueriesContext(connection) as statements:
            browser.get("/cases")
        costs.append(len(statements))

    assert costs[0] == costs[1] <= 11


def test_it_needs_few_statements_for_the_page_of_an_issue(as_user, viewer, case):
    deliver_due()
    browser = as_user(viewer)

    with CaptureQueriesContext(connection) as statements:
        show(browser)

    assert len(statements) <= 15


@pytest.mark.parametrize("number", [1, 20])
def test_it_marks_tickets_on_their_way_in_one_statement(
    as_user, viewer, place, analyst, number, django_assert_max_num_queries
):
    for finding in FindingFactory.create_batch(number):
        services.open_manual_case(
            [finding.pk], project=place.project, actor=analyst, promise=Promise({})
        )
    browser = as_user(viewer)

    with django_assert_max_num_queries(31):  # on PostgreSQL sixteen bound the time of the others
        body = browser.get("/findings").content.decode()

    assert body.count("being created in Jira") == number


def test_it_shows_the_key_in_jira_on_the_finding(as_user, viewer, case, finding, jira):
    deliver_due()
    browser = as_user(viewer)

    assert "<span>SEC-1</span>" in browser.get("/findings").content.decode()
    panel = browser.get(f"/findings/{finding.finding_id}").content.decode()
    assert "Open in Jira" in panel
    popover = browser.get(f"/tickets/{finding.finding_id}/popover").content.decode()
    assert f'href="{jira.url}/browse/SEC-1"' in popover


def test_it_warns_of_a_ticket_that_jira_refused(as_user, viewer, case, finding, jira):
    jira.faults.answer(CREATE, 400, {"errorMessages": ['"><img src=x>'], "errors": {}})
    deliver_due()

    browser = as_user(viewer)
    for address in ("/findings", f"/findings/{finding.finding_id}", "/cases", "/cases/RISK-1"):
        body = browser.get(address).content.decode()
        assert "<img src=x" not in body
    assert "not created in Jira" in browser.get("/findings").content.decode()
