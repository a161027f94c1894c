"""Comments, timelines and relationships of cases over the public API."""

from __future__ import annotations

from uuid import UUID

import pytest

from config.accounts.roles import Permission
from tests.api.asking import refusal
from tests.api.test_cases import said
from tests.factories import ExternalIssueFactory, ProjectFactory, opened_case
from tests.jira_places import destination_at
from ticketing import services
from ticketing.delivery import deliver_due
from ticketing.models import ExternalIssue, TimelineEntry
from ticketing.trackers.jira.sandbox.defaults import BUG

pytestmark = pytest.mark.django_db(transaction=True)
NOBODY = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def ask(machine):
    return machine(Permission.CASES_READ, Permission.CASES_WRITE)


@pytest.fixture
def case(db):
    return opened_case(ProjectFactory(key="SEC"))


@pytest.fixture
def jira(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    return sandbox_jira


@pytest.fixture
def place(db, jira, case):
    return destination_at(jira, project=case.project)


# --- Comments ---------------------------------------------------------------------------


def test_a_comment_is_answered_as_an_array_of_timeline_cells(ask, case):
    answer = ask.post("/cases/SEC-1/comment", said(comment="On it."))
    assert answer.status_code == 200
    [cell] = answer.json()["data"]
    assert cell["type"] == "timeline_cell"
    assert cell["attributes"]["cell_content"] == {"message": "On it."}
    author = cell["attributes"]["author"]
    assert (author["type"], author["content"]["name"]) == ("USER", "Ada Admin")  # the key's maker
    assert ask.get("/cases/SEC-1").json()["data"]["attributes"]["comment_count"] == 1


def test_a_comment_is_edited_and_deleted(ask, case):
    ask.post("/cases/SEC-1/comment", said(comment="Frist"))
    entry = case.timeline.get(kind="comment")
    path = f"/cases/SEC-1/comment/{UUID(int=entry.pk)}"
    [cell] = ask.put(path, said(comment="First")).json()["data"]
    assert cell["attributes"]["cell_content"] == {"message": "First"}
    assert cell["attributes"]["modified_at"] > cell["attributes"]["created_at"]
    assert ask.delete(path).status_code == 204
    entry.refresh_from_db()
    assert (entry.after, entry.reason) == ("", "Deleted by ci.")
    [cell] = ask.get("/cases/SEC-1/timelines").json()["data"]
    assert cell["attributes"]["deleted_at"]
    assert ask.get("/cases/SEC-1").json()["data"]["attributes"]["comment_count"] == 0


def test_a_deleted_and_an_unknown_comment_are_not_found(ask, case):
    ask.post("/cases/SEC-1/comment", said(comment="Gone"))
    entry = case.timeline.get(kind="comment")
    other = services.comment(opened_case(case.project), "Elsewhere", actor=None)
    created = case.timeline.get(kind="created")
    ask.delete(f"/cases/SEC-1/comment/{UUID(int=entry.pk)}")
    for number in (entry.pk, other.pk, created.pk, 10**18, 2**127):
        path = f"/cases/SEC-1/comment/{UUID(int=number)}"
        for answer in (ask.put(path, said(comment="x")), ask.delete(path)):
            assert answer.status_code == 404
            assert answer.json()["errors"][0]["title"] == "comment not found"


@pytest.mark.parametrize("name", ["x", "-1", "17"])
def test_the_id_of_a_comment_is_a_uuid(ask, case, name):
    for answer in (
        ask.put(f"/cases/NONE-1/comment/{name}", said(comment="x")),
        ask.delete(f"/cases/NONE-1/comment/{name}"),
    ):
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (400, "invalid_command")
        assert error["meta"] == {"entity": "cellid", "rule": "uuid"}


def test_a_comment_from_jira_is_edited_there(ask, case):
    entry = services.comment(case, "Theirs", actor=None)
    TimelineEntry.objects.filter(pk=entry.pk).update(author="Dana")
    path = f"/cases/SEC-1/comment/{UUID(int=entry.pk)}"
    for answer in (ask.put(path, said(comment="x")), ask.delete(path)):
        told = "This comment was written in Jira. Change it there."
        assert refusal(answer)[:2] == (400, told)
    assert case.timeline.get(pk=entry.pk).after == "Theirs"


def test_the_timeline_has_comments_only_and_pages(ask, case):
    services.change_case(case, status="IN_PROGRESS", actor=None)
    for text in ("1", "2", "3"):
        services.comment(case, text, actor=None)

    def told(query):
        cells = ask.get(f"/cases/SEC-1/timelines?{query}").json()["data"]
        return [cell["attributes"]["cell_content"]["message"] for cell in cells]

    assert told("") == ["3", "2", "1"]
    assert told("sort[ascending]=true") == ["1", "2", "3"]
    assert told("page[size]=2&page[number]=2") == ["1"]


# --- The issue in Jira ------------------------------------------------------------------


def new_issue(place, **said_too):
    ids = {"jira_account_id": str(place.account_id), "project_id": place.space_id}
    return said("issues", issue_type_id=BUG.id, **(ids | said_too))


ISSUES = "/cases/SEC-1/relationships/jira_issues"


def test_it_promises_an_issue_where_it_is_told(ask, case, place, jira):
    answer = ask.post(ISSUES, new_issue(place, fields={"labels": ["x"]}))
    assert (answer.status_code, answer.content) == (202, b"")
    told = ask.get("/cases/SEC-1").json()["data"]["attributes"]["jira_issue"]
    assert told == {"status": "IN_PROGRESS"}
    assert deliver_due()
    told = ask.get("/cases/SEC-1").json()["data"]["attributes"]["jira_issue"]
    [there] = jira.issues("SEC")
    assert (told["status"], told["result"]["issue_key"]) == ("COMPLETED", there.key)
    assert there.type_id == BUG.id


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"jira_account_id": NOBODY}, 404),
        ({"project_id": "99999"}, 400),
        ({"issue_type_id": "99999"}, 400),
    ],
)
def test_it_promises_nothing_where_there_is_nothing(ask, case, place, change, status):
    body = new_issue(place)
    body["data"]["attributes"] |= change
    assert ask.post(ISSUES, body).status_code == status
    assert not ExternalIssue.objects.exists()


def test_a_case_has_one_issue(ask, case, place, jira):
    ask.post(ISSUES, new_issue(place))
    answer = ask.post(ISSUES, new_issue(place))
    assert refusal(answer)[:2] == (400, "SEC-1 has an issue in Jira already.")


def test_an_archived_case_gets_no_issue(ask, case, place, jira):
    services.archive(case, actor=None)
    there = jira.create_issue("SEC", "By hand")
    link = said("issues", jira_issue_url=f"{jira.url}/browse/{there.key}")
    for answer in (ask.post(ISSUES, new_issue(place)), ask.patch(ISSUES, link)):
        assert refusal(answer)[0] == 400
    assert not ExternalIssue.objects.exists()


def test_it_links_and_unlinks_an_issue_by_its_address(ask, case, place, jira):
    there = jira.create_issue("SEC", "By hand")
    link = said("issues", jira_issue_url=f"{jira.url}/browse/{there.key}")
    for _ in range(2):  # the second time it is linked already
        assert ask.patch(ISSUES, link).status_code == 204
    assert ExternalIssue.objects.get().issue_key == there.key
    assert ask.delete(ISSUES).status_code == 204
    assert ask.delete(ISSUES).status_code == 404
    assert len(jira.issues("SEC")) == 1


def test_an_issue_of_another_case_is_a_conflict(ask, case, place, jira):
    there = jira.create_issue("SEC", "By hand")
    link = said("issues", jira_issue_url=f"{jira.url}/browse/{there.key}")
    opened_case(case.project)
    assert ask.patch("/cases/SEC-2/relationships/jira_issues", link).status_code == 204
    answer = ask.patch(ISSUES, link)
    assert answer.status_code == 409
    assert answer.json()["errors"] == ["Conflict", "The issue belongs to SEC-2."]


def test_a_case_that_has_another_issue_is_a_conflict(ask, case, place, jira):
    keys = [jira.create_issue("SEC", "By hand").key for _ in range(2)]
    links = [said("issues", jira_issue_url=f"{jira.url}/browse/{key}") for key in keys]
    assert [ask.patch(ISSUES, link).status_code for link in links] == [204, 409]


def test_unlinking_cancels_what_is_not_there_yet(ask, case):
    issue = ExternalIssueFactory(case=case)
    assert ask.delete(ISSUES).status_code == 204
    issue.refresh_from_db()
    assert issue.state == "cancelled"
    assert "jira_issue" not in ask.get("/cases/SEC-1").json()["data"]["attributes"]


# --- Its project ------------------------------------------------------------------------


def test_it_moves_a_case_to_another_project(ask, case):
    project = ProjectFactory(key="OPS")
    path = "/cases/SEC-1/relationships/project"
    answer = ask.patch(path, {"data": {"id": str(project.pk), "type": "project"}})
    assert answer.json()["data"]["attributes"]["key"] == "OPS-1"
    assert ask.patch(path, {"data": {"id": NOBODY, "type": "project"}}).status_code == 404
    answer = ask.patch(path, {"data": {"id": NOBODY, "type": "projects"}})
    assert refusal(answer) == (
        400,
        'got type "projects" expected one of "project"',
        "/data/type",
    )
