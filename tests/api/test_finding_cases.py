"""Cases for findings over the public API: each quirk of it has a test."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.accounts.roles import Permission
from config.lib.datadog_api.documents import NO_DATA
from tests.api.asking import JSON_API, refusal
from tests.factories import (
    FindingFactory,
    ProjectFactory,
    SourceFactory,
    UserFactory,
    create_findings,
    opened_case,
)
from ticketing import services
from ticketing.models import Attachment, Case

pytestmark = pytest.mark.django_db
URL = "/security/findings/cases"
LOTS = 15  # 2,500 rows go in by the lot, on SQLite
NOBODY = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def ask(machine):
    return machine(Permission.FINDINGS_WRITE)


@pytest.fixture
def project(db):
    return ProjectFactory(key="SEC", name="Security")


def many_findings(number):
    rows = FindingFactory.build_batch(number, source=SourceFactory())
    return [row.finding_id for row in create_findings(rows)]


def findings(number=1, **said):
    return [FindingFactory(**said).finding_id for _ in range(number)]


def named(ids):
    return {"data": [{"type": "findings", "id": each} for each in ids]}


def item(project_id, ids, **attributes):
    relations = {
        "findings": named(ids),
        "project": {"data": {"type": "projects", "id": str(project_id)}},
    }
    said = {"attributes": attributes} if attributes else {}
    return {"type": "cases", "relationships": relations} | said


def detached(ids):
    return {"data": {"type": "cases", "relationships": {"findings": named(ids)}}}


def attached(case_id, ids):
    data = {"id": str(case_id), "type": "cases", "relationships": {"findings": named(ids)}}
    return {"data": data}


# --- Creating ---------------------------------------------------------------------------


def test_it_answers_an_array_of_cases_in_the_order_asked(ask, project):
    ids = findings(3)
    body = {"data": [item(project.pk, ids[:2], title="One"), item(project.pk, ids[2:])]}
    answer = ask.post(URL, body)
    assert (answer.status_code, answer["Content-Type"]) == (201, JSON_API)
    one, two = answer.json()["data"]
    assert (one["attributes"]["title"], one["attributes"]["key"]) == ("One", "SEC-1")
    assert [each["resource_id"] for each in one["attributes"]["insights"]] == ids[:2]
    assert [each["resource_id"] for each in two["attributes"]["insights"]] == ids[2:]


def test_it_answers_with_plural_types_and_the_keys_observed(ask, project, admin):
    [data] = ask.post(URL, {"data": [item(project.pk, findings())]}).json()["data"]
    attributes = data["attributes"]
    assert data["type"] == "cases"
    assert attributes["creation_source"] == "CS_SECURITY_FINDING"
    assert attributes["type"] == "SECURITY"
    assert (attributes["status"], attributes["status_group"], attributes["status_name"]) == (
        "OPEN",
        "SG_OPEN",
        "Open",
    )
    assert attributes["insights"][0]["type"] == "SECURITY_FINDING"
    assert attributes["created_at"].endswith("Z")
    assert data["relationships"] == {
        "project": {"data": {"id": str(project.pk), "type": "projects"}},
        "created_by": {"data": {"id": str(admin.pk), "type": "users"}},
    }


def test_it_leaves_out_what_is_unset(ask, project):
    [data] = ask.post(URL, {"data": [item(project.pk, findings())]}).json()["data"]
    assert not {
        "modified_at",
        "archived_at",
        "closed_at",
        "due_date",
        "assigned_to",
        "jira_issue",
        "attributes",
    } & set(data["attributes"])


def test_it_generates_a_missing_title_and_description(ask, project):
    [one] = findings(title="Log4Shell", resource_name="web-1")
    [data] = ask.post(URL, {"data": [item(project.pk, [one])]}).json()["data"]
    assert data["attributes"]["title"] == "Log4Shell (web-1)"
    assert "Created by ci." in data["attributes"]["description"]


def test_the_priority_is_not_defined_when_none_was_sent(ask, project):
    ids = findings(severity="critical")
    [data] = ask.post(URL, {"data": [item(project.pk, ids)]}).json()["data"]
    assert data["attributes"]["priority"] == "NOT_DEFINED"


def test_it_keeps_what_is_said_of_the_case(ask, project):
    person = UserFactory()
    words = {"title": "T", "description": "D", "priority": "P2", "assignee_id": str(person.pk)}
    [data] = ask.post(URL, {"data": [item(project.pk, findings(), **words)]}).json()["data"]
    case = Case.objects.get()
    assert (case.title, case.description, case.priority, case.assignee) == ("T", "D", "P2", person)
    assert data["attributes"]["assigned_to"]["data"] == {"id": str(person.pk), "type": "users"}


def test_it_says_that_the_api_made_the_case_and_with_which_key(ask, project):
    ask.post(URL, {"data": [item(project.pk, findings())]})
    case = Case.objects.get()
    assert case.origin == Case.Origin.API
    assert case.timeline.get().key_name == "ci"


def test_a_finding_attached_elsewhere_moves(ask, project):
    [one] = findings()
    first, second = (
        ask.post(URL, {"data": [item(project.pk, [one])]}).json()["data"][0] for _ in range(2)
    )
    attachment = Attachment.objects.get()
    assert str(attachment.case_id) == second["id"] != first["id"]
    assert Case.objects.count() == 2


def test_it_takes_fifty_cases_of_fifty_findings_in_constant_statements(ask, project):
    def cost(cases, each):
        ids = many_findings(cases * each)
        lots = [ids[n * each : (n + 1) * each] for n in range(cases)]
        with CaptureQueriesContext(connection) as told:
            answer = ask.post(URL, {"data": [item(project.pk, lot) for lot in lots]})
        assert [len(d["attributes"]["insights"]) for d in answer.json()["data"]] == [each] * cases
        return len(told)

    cost(1, 1)  # that the key was used is noted once a minute
    few = cost(2, 2)
    assert cost(10, 10) == few
    assert cost(50, 50) <= few + LOTS


@pytest.mark.parametrize(
    ("data", "detail", "pointer"),
    [
        ([], "no case provided", "/data"),
        ([{"n": 51}], "A request takes up to 50 cases, got 51.", "/data"),
    ],
)
def test_it_refuses_no_and_51_cases(ask, project, data, detail, pointer):
    if data:
        data = [item(project.pk, [each]) for each in findings(51)]
    assert refusal(ask.post(URL, {"data": data})) == (400, detail, pointer)
    assert not Case.objects.exists()


def test_it_refuses_51_findings(ask, project):
    answer = ask.post(URL, {"data": [item(project.pk, findings(51))]})
    detail = "A case takes up to 50 findings at once, got 51."
    assert refusal(answer) == (400, detail, "/data/0/relationships/findings/data")


def test_an_empty_list_of_findings_is_no_finding_provided(ask, project):
    answer = ask.post(URL, {"data": [item(project.pk, [])]})
    where = "/data/0/relationships/findings/data"
    assert refusal(answer) == (400, "no finding provided", where)


def test_an_unknown_project_with_an_unknown_finding_is_project_not_found(ask):
    answer = ask.post(URL, {"data": [item(NOBODY, ["bm9uZQ"])]})
    assert refusal(answer) == (
        404,
        "project not found",
        "/data/0/relationships/project/data/id",
    )


def test_an_unknown_finding_opens_no_case_at_all(ask, project):
    body = {"data": [item(project.pk, findings()), item(project.pk, [*findings(), "bm9uZQ"])]}
    where = "/data/1/relationships/findings/data/1/id"
    assert refusal(ask.post(URL, body)) == (404, "finding not found", where)
    assert not Case.objects.exists()


def test_an_unknown_assignee_is_refused(ask, project):
    answer = ask.post(URL, {"data": [item(project.pk, findings(), assignee_id=NOBODY)]})
    assert refusal(answer) == (404, "assignee not found", "/data/0/attributes/assignee_id")


def test_a_finding_cannot_be_asked_onto_two_cases(ask, project):
    ids = findings()
    status, _, where = refusal(ask.post(URL, {"data": [item(project.pk, ids)] * 2}))
    assert (status, where) == (400, "/data/1/relationships/findings/data")


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"type": "case"}, 'got type "case" expected one of "cases"'),
        ({"attributes": {"priority": "P9"}}, "Invalid enum value 'P9'."),
        ({"attributes": {"title": 7}}, "Expected `str | null`, got `int`."),
        ({"attributes": {"title": "x" * 256}}, "A title takes up to 255 characters."),
        ({"relationships": {}}, "`findings` is required."),
    ],
)
def test_it_refuses_another_shape(ask, project, change, detail):
    answer = ask.post(URL, {"data": [item(project.pk, findings()) | change]})
    assert refusal(answer)[:2] == (400, detail)
    assert not Case.objects.exists()


@pytest.mark.parametrize(("method", "path"), [("post", ""), ("delete", ""), ("patch", "/SEC-1")])
def test_it_needs_the_scope_to_write_findings(machine, method, path):
    ask = machine(Permission.FINDINGS_READ, Permission.CASES_WRITE)
    answer = ask.ask(method, f"{URL}{path}", {"data": []})
    assert answer.status_code == 403
    assert answer.json()["errors"][0] == "Forbidden"


# --- Attaching --------------------------------------------------------------------------


def test_attaching_answers_with_all_findings_of_the_case(ask, project):
    first, second = findings(2)
    [data] = ask.post(URL, {"data": [item(project.pk, [first])]}).json()["data"]
    answer = ask.patch(f"{URL}/{data['id']}", attached(data["id"], [second]))
    assert answer.status_code == 200
    insights = answer.json()["data"]["attributes"]["insights"]
    assert [each["resource_id"] for each in insights] == [first, second]
    assert "modified_at" not in data["attributes"]


def test_attaching_takes_the_key_of_a_case_too(ask, project):
    case = opened_case(project)
    answer = ask.patch(f"{URL}/{case.key}", attached(case.pk, findings()))
    assert answer.json()["data"]["id"] == str(case.pk)


def test_a_wrong_case_id_is_not_found_and_no_bad_request(ask):
    answer = ask.patch(f"{URL}/wrong-case-id", attached("wrong-case-id", findings()))
    assert refusal(answer) == (404, "failed to get case: case not found", None)


def test_it_refuses_the_id_of_another_case(ask, project):
    case = opened_case(project)
    answer = ask.patch(f"{URL}/{case.pk}", attached(NOBODY, findings()))
    assert refusal(answer)[::2] == (400, "/data/id")


def test_nothing_is_attached_to_an_archived_case(ask, project):
    case = services.archive(opened_case(project), actor=None)
    answer = ask.patch(f"{URL}/{case.pk}", attached(case.pk, findings()))
    assert refusal(answer)[:2] == (400, "SEC-1 is archived. Unarchive it first.")
    assert not Attachment.objects.exists()


def test_an_open_finding_opens_a_closed_case(ask, project):
    case = services.change_case(opened_case(project), status="CLOSED", actor=None)
    answer = ask.patch(f"{URL}/{case.pk}", attached(case.pk, findings()))
    assert answer.json()["data"]["attributes"]["status"] == "OPEN"


# --- Detaching --------------------------------------------------------------------------


def test_detaching_has_a_body_and_no_answer(ask, project):
    ids = findings()
    ask.post(URL, {"data": [item(project.pk, ids)]})
    answer = ask.delete(URL, detached(ids))
    assert (answer.status_code, answer.content) == (204, b"")
    assert not Attachment.objects.exists()
    assert Case.objects.count() == 1


def test_detaching_ignores_unattached_findings(ask):
    assert ask.delete(URL, detached(findings(2))).status_code == 204


@pytest.mark.parametrize(
    ("ids", "refused"),
    [([], (400, "no finding provided")), (["bm9uZQ"], (404, "finding not found"))],
)
def test_detaching_refuses_none_and_unknown_ones(ask, ids, refused):
    assert refusal(ask.delete(URL, detached(ids)))[:2] == refused


def test_detaching_without_a_body_says_what_is_missing(ask):
    assert refusal(ask.delete(URL, {}))[:2] == (400, NO_DATA)
