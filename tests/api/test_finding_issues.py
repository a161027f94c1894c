"""Jira issues for findings over the public API: each quirk of it has a test."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.accounts.roles import Permission
from tests.api.asking import refusal
from tests.api.test_finding_cases import NOBODY, findings, item
from tests.factories import ProjectFactory, UserFactory
from tests.jira_places import destination_at
from ticketing import services
from ticketing.api.v2 import finding_issues
from ticketing.delivery import deliver_due
from ticketing.models import Attachment, Case, ExternalIssue, JiraUser
from ticketing.trackers.jira.sandbox.defaults import DANA

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/security/findings/jira_issues"
CREATE = r"POST .*/issue$"


@pytest.fixture
def ask(machine):
    return machine(Permission.FINDINGS_WRITE)


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(db, jira):
    return destination_at(jira)


def issue(project_id, ids, **attributes):
    return item(project_id, ids, **attributes) | {"type": "jira_issues"}


def at(url, project_id, ids):
    data = issue(project_id, ids, jira_issue_url=url)
    return {"data": data}


def create(ask, place, ids, **attributes):
    answer = ask.post(URL, {"data": [issue(place.project_id, ids, **attributes)]})
    assert answer.status_code == 201, answer.json()
    return answer.json()["data"][0]


# --- Creating ---------------------------------------------------------------------------


def test_it_creates_a_case_and_an_issue_and_says_where(ask, place, jira):
    data = create(ask, place, findings(title="Leaked key"))
    [there] = jira.issues("SEC")
    assert (data["type"], data["attributes"]["key"]) == ("cases", "RISK-1")
    assert data["attributes"]["jira_issue"] == {
        "status": "COMPLETED",
        "result": {
            "account_id": str(place.account_id),
            "issue_id": str(there.id),
            "issue_key": there.key,
            "issue_url": f"{jira.url}/browse/{there.key}",
            "project_key": "SEC",
        },
    }
    assert there.fields["summary"].startswith("Leaked key")


@pytest.mark.parametrize(
    ("severity", "priority"), [("medium", "P3"), ("low", "P4"), ("critical", "P1")]
)
def test_the_priority_is_that_of_the_findings_when_none_was_sent(ask, place, severity, priority):
    data = create(ask, place, findings(severity=severity))
    assert data["attributes"]["priority"] == priority


def test_it_sends_the_fields_and_the_assignee(ask, place, jira):
    person = UserFactory()
    JiraUser.objects.create(account=place.account, user_id=DANA.account_id, person=person)
    words = {"assignee_id": str(person.pk), "fields": {"labels": ["urgent"]}}
    create(ask, place, findings(), **words)
    [there] = jira.issues("SEC")
    assert "urgent" in there.fields["labels"]
    assert there.fields["assignee"] == DANA.account_id


def test_it_refuses_a_placeholder_that_nothing_fills(ask, place):
    said = issue(place.project_id, findings(), fields={"labels": ["{{nonsense}}"]})
    status, _, where = refusal(ask.post(URL, {"data": [said]}))
    assert (status, where) == (400, "/data/0/attributes/fields")


def test_an_unknown_project_with_an_unknown_finding_is_finding_not_found(ask):
    answer = ask.post(URL, {"data": [issue(NOBODY, ["bm9uZQ"])]})
    where = "/data/0/relationships/findings/data/0/id"
    assert refusal(answer) == (404, "finding not found", where)


def test_an_unknown_project_is_not_found(ask):
    answer = ask.post(URL, {"data": [issue(NOBODY, findings())]})
    assert refusal(answer)[:2] == (404, "project not found")


def test_a_project_without_jira_is_refused(ask, db):
    project = ProjectFactory(key="OPS")
    answer = ask.post(URL, {"data": [issue(project.pk, findings())]})
    assert refusal(answer) == (
        400,
        "The project OPS is not linked to Jira.",
        "/data/0/relationships/project/data/id",
    )
    assert not Case.objects.exists()


def test_an_empty_list_of_findings_is_no_finding_provided(ask, place):
    answer = ask.post(URL, {"data": [issue(place.project_id, [])]})
    assert refusal(answer)[:2] == (400, "no finding provided")


def test_what_jira_refuses_is_failed_and_says_why(ask, place, jira):
    jira.require_field("SEC", "customfield_10020")
    data = create(ask, place, findings())
    told = data["attributes"]["jira_issue"]
    assert told["status"] == "FAILED"
    assert told["error_message"] == ExternalIssue.objects.get().reason != ""
    assert Case.objects.get().origin == Case.Origin.API


@pytest.mark.parametrize(("is_found", "status"), [(True, "COMPLETED"), (False, "IN_PROGRESS")])
def test_an_answer_that_is_lost_is_looked_for_at_once(ask, place, jira, is_found, status):
    jira.faults.reset(CREATE, stage="after")
    if not is_found:
        jira.faults.answer(r"POST .*/issue/bulkfetch$", 503)
    data = create(ask, place, findings())
    assert data["attributes"]["jira_issue"]["status"] == status
    assert len(jira.issues("SEC")) == 1


def test_without_time_it_is_in_progress_and_delivered_later(ask, place, jira, monkeypatch):
    monkeypatch.setattr(finding_issues, "PATIENCE", 0)
    data = create(ask, place, findings())
    assert data["attributes"]["jira_issue"] == {"status": "IN_PROGRESS"}
    assert deliver_due()
    assert ExternalIssue.objects.get().issue_key == jira.issues("SEC")[0].key


def test_a_request_sent_again_makes_no_second_issue_and_says_how_it_is_now(
    ask, place, jira, monkeypatch
):
    body = {"data": [issue(place.project_id, findings())]}
    told = []
    for patience in (0, 10):
        monkeypatch.setattr(finding_issues, "PATIENCE", patience)
        answer = ask.ask("post", URL, body, **{"Idempotency-Key": "c"})
        told.append(answer.json()["data"][0]["attributes"]["jira_issue"]["status"])
    assert told == ["IN_PROGRESS", "COMPLETED"]
    assert (Case.objects.count(), len(jira.issues("SEC"))) == (1, 1)


def test_no_transaction_is_open_while_jira_is_asked(ask, place, monkeypatch):
    seen = []
    deliver = finding_issues.deliver_these

    def look(issue_ids, **said):
        seen.append(connection.in_atomic_block)
        deliver(issue_ids, **said)

    monkeypatch.setattr(finding_issues, "deliver_these", look)
    create(ask, place, findings())
    assert seen == [False]


def test_it_opens_cases_in_constant_statements(ask, place, monkeypatch):
    monkeypatch.setattr(finding_issues, "PATIENCE", 0)
    person = UserFactory()

    def cost(number):
        wanted = [
            issue(place.project_id, findings(), assignee_id=str(person.pk)) for _ in range(number)
        ]
        with CaptureQueriesContext(connection) as told:
            assert ask.post(URL, {"data": wanted}).status_code == 201
        return len(told)

    cost(1)
    assert cost(2) == cost(12)


# --- Attaching --------------------------------------------------------------------------


def test_it_attaches_to_the_case_that_has_the_issue(ask, place, jira):
    first, second = findings(2)
    made = create(ask, place, [first])
    url = made["attributes"]["jira_issue"]["result"]["issue_url"]
    answer = ask.patch(URL, at(url, place.project_id, [second]))
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert data["id"] == made["id"]
    assert [each["resource_id"] for each in data["attributes"]["insights"]] == [first, second]


def test_it_creates_a_case_for_an_issue_that_has_none(ask, place, jira):
    there = jira.create_issue("SEC", "Made by hand")
    answer = ask.patch(URL, at(f"{jira.url}/browse/{there.key}", place.project_id, findings()))
    data = answer.json()["data"]
    assert (data["type"], data["attributes"]["title"]) == ("cases", "Made by hand")
    assert data["attributes"]["jira_issue"]["result"]["issue_key"] == there.key
    assert Case.objects.get().origin == Case.Origin.API


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("SEC-1", (400, "Send the address of an issue's page in Jira.")),
        ("https://elsewhere.example/browse/SEC-1", None),
        ("https://[/browse/SEC-1", None),
    ],
)
def test_it_refuses_what_is_no_issue_of_a_connected_jira(ask, place, url, refused):
    status, detail, where = refusal(ask.patch(URL, at(url, place.project_id, findings())))
    assert where == "/data/attributes/jira_issue_url"
    assert (status, detail) == refused if refused else status == 404


def test_an_issue_that_is_not_there_is_not_found(ask, place, jira):
    answer = ask.patch(URL, at(f"{jira.url}/browse/SEC-999", place.project_id, findings()))
    assert answer.status_code == 404
    assert not Case.objects.exists()


def test_a_jira_that_is_down_is_no_404(ask, place, jira):
    jira.faults.answer("GET .*", 503, "down", times=None)
    answer = ask.patch(URL, at(f"{jira.url}/browse/SEC-1", place.project_id, findings()))
    assert answer.status_code == 503


def test_an_archived_case_takes_nothing(ask, place, jira):
    made = create(ask, place, findings())
    services.archive(Case.objects.get(), actor=None)
    url = made["attributes"]["jira_issue"]["result"]["issue_url"]
    answer = ask.patch(URL, at(url, place.project_id, findings()))
    assert refusal(answer)[:2] == (400, "RISK-1 is archived. Unarchive it first.")
    assert Attachment.objects.count() == 1
