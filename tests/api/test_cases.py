"""Case management over the public API: each quirk of it has a test."""

from __future__ import annotations

from datetime import date

import pytest

from config.accounts.roles import Permission
from tests.api.asking import JSON_API, refusal
from tests.factories import (
    FindingFactory,
    ProjectFactory,
    UserFactory,
    opened_case,
)
from ticketing import services
from ticketing.api.v2.documents import STANDARD_TYPE
from ticketing.models import Case

pytestmark = pytest.mark.django_db
NOBODY = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def ask(machine):
    return machine(Permission.CASES_READ, Permission.CASES_WRITE, Permission.FINDINGS_WRITE)


@pytest.fixture
def project(db):
    return ProjectFactory(key="SEC", name="Security")


@pytest.fixture
def case(project):
    return opened_case(project, title="Rotate the key")


def new(project_id, *, relationships=None, **attributes):
    relations = {"project": {"data": {"id": str(project_id), "type": "project"}}}
    return {
        "data": {
            "type": "case",
            "attributes": {"title": "T", "type_id": STANDARD_TYPE} | attributes,
            "relationships": relations | (relationships or {}),
        }
    }


def said(type_="case", **attributes):
    return {"data": {"type": type_, "attributes": attributes}}


NOTHING = {"data": {"type": "case"}}


# --- Creating and showing ---------------------------------------------------------------


def test_creating_answers_with_the_keys_observed(ask, project, admin):
    answer = ask.post("/cases", new(project.pk, priority="P4"))
    assert (answer.status_code, answer["Content-Type"]) == (201, JSON_API)
    data = answer.json()["data"]
    attributes = data["attributes"]
    assert (data["type"], attributes["key"], attributes["internal_id"]) == (
        *("case", "SEC-1"),
        data["id"],
    )
    assert attributes["public_id"].isdigit()
    assert (attributes["type"], attributes["type_id"]) == ("STANDARD", STANDARD_TYPE)
    assert attributes["merge_status"] == "NOT_MERGED"
    assert (attributes["attributes"], attributes["custom_attributes"]) == ({}, {})
    assert (attributes["comment_count"], attributes["insights"]) == (0, [])
    assert (attributes["archived_at"], attributes["modified_at"]) == (None, None)
    assert data["relationships"]["project"]["data"] == {"id": str(project.pk), "type": "project"}
    assert data["relationships"]["created_by"]["data"] == {"id": str(admin.pk), "type": "user"}


def test_creating_includes_the_people_it_names(ask, project, admin):
    person = UserFactory(name="Maya")
    assignee = {"assignee": {"data": {"id": str(person.pk), "type": "user"}}}
    answer = ask.post("/cases", new(project.pk, relationships=assignee)).json()
    assert {each["attributes"]["name"] for each in answer["included"]} == {"Maya", admin.name}
    assert {each["type"] for each in answer["included"]} == {"user"}


def test_it_opens_a_case_in_the_status_that_is_named(ask, project):
    answer = ask.post("/cases", new(project.pk, status_name="In Progress"))
    assert answer.json()["data"]["attributes"]["status_group"] == "SG_IN_PROGRESS"


def test_the_wrong_type_of_an_assignee_is_named_as_observed(ask, project):
    assignee = {"assignee": {"data": {"id": NOBODY, "type": "userx"}}}
    answer = ask.post("/cases", new(project.pk, relationships=assignee))
    assert refusal(answer)[:2] == (400, 'got type "userx" expected one of "user"')


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (lambda p: new(NOBODY), "project not found"),
        (lambda p: new("nonsense"), "project not found"),
        (lambda p: new(p, type_id=NOBODY), "case type not found"),
        (
            lambda p: new(p, relationships={"assignee": {"data": {"id": NOBODY, "type": "user"}}}),
            "user not found",
        ),
    ],
)
def test_what_is_not_there_is_said_in_a_code(ask, project, body, title):
    answer = ask.post("/cases", body(project.pk))
    assert answer.status_code == 404
    assert answer.json() == {"errors": [{"code": "resource_not_found", "title": title}]}
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("attributes", "detail"),
    [
        ({"title": ""}, "A title has 1 to 255 characters."),
        ({"title": "x" * 256}, "A title has 1 to 255 characters."),
        ({"priority": "P6"}, "Invalid enum value 'P6'."),
        ({"status_name": "Done"}, "got status name 'Done' expected one of Open, In Progress, Clos"),
        ({"custom_attributes": {"a": 1}}, "There are no custom attributes; use `attributes` of"),
    ],
)
def test_it_refuses_a_malformed_case(ask, project, attributes, detail):
    status, told, where = refusal(ask.post("/cases", new(project.pk, **attributes)))
    assert status == 400
    assert told.startswith(detail)
    assert where == f"/data/attributes/{next(iter(attributes))}"


def test_a_case_is_found_by_its_id_its_key_and_its_former_key(ask, case):
    moved = services.move(case, ProjectFactory(key="OPS"), actor=None)
    for name in (str(case.pk), moved.key, "SEC-1", "sec-1"):
        assert ask.get(f"/cases/{name}").json()["data"]["id"] == str(case.pk)


@pytest.mark.parametrize("name", ["SEC-99", NOBODY, "wrong-case-id"])
def test_an_unknown_case_is_not_found(ask, case, name):
    answer = ask.get(f"/cases/{name}")
    assert answer.status_code == 404
    assert answer.json() == {"errors": [{"code": "resource_not_found", "title": "case not found"}]}


# --- Changing ---------------------------------------------------------------------------


CHANGES = {
    "status": (said(status="IN_PROGRESS"), "status", "IN_PROGRESS"),
    "priority": (said(priority="P1"), "priority", "P1"),
    "title": (said(title=" New "), "title", "New"),
    "description": (said(description="*New*"), "description", "*New*"),
    "due_date": (said(due_date="2026-12-31"), "due_date", "2026-12-31"),
    "attributes": (said(attributes={"env": ["a", "b"]}), "attributes", {"env": ["a", "b"]}),
    "resolved_reason": (
        said(security_resolved_reason="FALSE_POSITIVE"),
        "security_resolved_reason",
        "FALSE_POSITIVE",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_changes_one_thing_and_answers_with_the_case(ask, case, name):
    body, attribute, value = CHANGES[name]
    answer = ask.post(f"/cases/{case.key}/{name}", body)
    assert answer.status_code == 200, answer.json()
    attributes = answer.json()["data"]["attributes"]
    assert attributes[attribute] == value
    assert attributes["modified_at"] > attributes["created_at"]
    assert case.timeline.first().key_name == "ci"
    before = case.timeline.count()
    ask.post(f"/cases/{case.key}/{name}", body)
    assert case.timeline.count() == before


@pytest.mark.parametrize(
    ("status", "group", "name"),
    [
        ("OPEN", "SG_OPEN", "Open"),
        ("IN_PROGRESS", "SG_IN_PROGRESS", "In Progress"),
        ("CLOSED", "SG_CLOSED", "Closed"),
    ],
)
def test_a_status_has_a_group_and_a_name(ask, case, status, group, name):
    for body in (said(status=status), said(status_name=name)):
        attributes = ask.post(f"/cases/{case.pk}/status", body).json()["data"]["attributes"]
        assert (attributes["status_group"], attributes["status_name"]) == (group, name)
    assert (attributes["closed_at"] is not None) == (status == "CLOSED")


def test_it_assigns_and_unassigns(ask, case):
    person = UserFactory()
    answer = ask.post(f"/cases/{case.key}/assign", said(assignee_id=str(person.pk)))
    found = answer.json()["data"]["relationships"]["assignee"]["data"]
    assert found == {"id": str(person.pk), "type": "user"}
    answer = ask.post(f"/cases/{case.key}/unassign", NOTHING)
    assert answer.json()["data"]["relationships"]["assignee"]["data"] is None


def test_it_archives_and_unarchives(ask, case):
    answer = ask.post(f"/cases/{case.key}/archive", NOTHING)
    assert answer.json()["data"]["attributes"]["archived_at"] is not None
    answer = ask.post(f"/cases/{case.key}/unarchive", NOTHING)
    assert answer.json()["data"]["attributes"]["archived_at"] is None


def test_an_empty_due_date_takes_it_away_and_a_time_is_a_day(ask, case):
    ask.post(f"/cases/{case.key}/due_date", said(due_date="2026-12-31T12:00:00Z"))
    case.refresh_from_db()
    assert case.due_date == date(2026, 12, 31)
    attributes = ask.post(f"/cases/{case.key}/due_date", said(due_date="")).json()["data"]
    assert "due_date" not in attributes["attributes"]


def test_attributes_take_the_place_of_all_there_were(ask, case):
    ask.post(f"/cases/{case.key}/attributes", said(attributes={"env": ["a"], "team": ["x"]}))
    ask.post(f"/cases/{case.key}/attributes", said(attributes={"env": ["b"]}))
    case.refresh_from_db()
    assert case.attributes == {"env": ["b"]}
    assert case.timeline.first().before == "env: a\nteam: x"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("status", said()),
        ("status", said(status="DONE")),
        ("status", said(status_name="Done")),
        ("priority", said(priority="HIGH")),
        ("priority", said()),
        ("assign", said(assignee_id=7)),
        ("title", said(title=" ")),
        ("description", said(description="x" * 100_001)),
        ("due_date", said(due_date="tomorrow")),
        ("attributes", said(attributes={"env": "a"})),
        ("attributes", said(attributes={"n" * 201: []})),
        ("attributes", said(attributes={"n": ["v"] * 51})),
        ("attributes", said(attributes={"n": ["v" * 1001]})),
        ("attributes", said(attributes={str(n): [] for n in range(51)})),
        ("resolved_reason", said(security_resolved_reason="")),
        ("archive", {}),
        ("archive", {"data": {"type": "cases"}}),
        ("unassign", {"data": []}),
        ("comment", said(comment="")),
    ],
)
def test_it_refuses_a_malformed_change_with_a_pointer(ask, case, name, body):
    answer = ask.post(f"/cases/{case.key}/{name}", body)
    assert answer.status_code == 400
    assert body == {} or answer.json()["errors"][0]["source"]["pointer"].startswith("/data")
    assert case.timeline.count() == 1


def test_an_inactive_person_is_not_found(ask, case):
    person = UserFactory(is_active=False)
    answer = ask.post(f"/cases/{case.key}/assign", said(assignee_id=str(person.pk)))
    assert answer.status_code == 404


@pytest.mark.parametrize("name", [*CHANGES, "assign", "unassign", "archive", "comment"])
def test_changing_needs_the_scope_to_write_cases(machine, case, name):
    answer = machine(Permission.CASES_READ).post(f"/cases/{case.key}/{name}", {})
    assert answer.status_code == 403
    assert answer.json()["errors"][0] == "Forbidden"


def test_reading_needs_the_scope_to_read_cases(machine, case):
    ask = machine(Permission.FINDINGS_READ, Permission.CASES_WRITE)
    for path in ("", f"/{case.key}", "/count", "/projects", "/types", f"/{case.key}/timelines"):
        assert ask.get(f"/cases{path}").status_code == 403


# --- Types and views --------------------------------------------------------------------


def test_there_is_one_type_and_no_custom_attribute(ask):
    [type_] = ask.get("/cases/types").json()["data"]
    assert (type_["id"], type_["type"]) == (STANDARD_TYPE, "case_type")
    assert ask.get("/cases/types/custom_attributes").json() == {"data": []}
    assert ask.get(f"/cases/types/{STANDARD_TYPE}/custom_attributes").json() == {"data": []}
    assert ask.get(f"/cases/types/{NOBODY}/custom_attributes").status_code == 404


def test_a_project_has_one_view(ask, project):
    [view] = ask.get(f"/cases/views?project_id={project.pk}").json()["data"]
    assert view["attributes"]["query"] == "project:SEC"
    assert ask.get(f"/cases/views/{view['id']}").json()["data"] == view
    assert refusal(ask.get("/cases/views"))[::2] == (400, "project_id")
    assert ask.get(f"/cases/views?project_id={NOBODY}").status_code == 404
    assert ask.get("/cases/views/nonsense").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/cases/link?entity_type=CASE&entity_id=1"), ("get", "/cases/projects/favorites"),
     ("get", "/cases/SEC-1/watchers"), ("post", "/cases/bulk")],
)  # fmt: skip
def test_what_is_not_built_says_so(ask, method, path):
    assert ask.ask(method, path, None if method == "get" else {}).status_code == 404


@pytest.mark.parametrize("found", [True, False])
def test_a_malformed_assignee_is_refused_before_anything_is_looked_up(ask, project, found):
    """In the words that the public API was recorded with."""
    key = "NONE-1"
    if found:
        key = ask.post("/cases", new(project.pk)).json()["data"]["attributes"]["key"]
    nobody = {"assignee": {"data": {"id": "invalid-uuid", "type": "user"}}}
    for answer in (
        ask.post(f"/cases/{key}/assign", said(assignee_id="invalid-uuid")),
        ask.post("/cases", new(project.pk if found else "nowhere", relationships=nobody)),
    ):
        assert answer.status_code == 400
        assert answer.json()["errors"] == [
            {
                "code": "invalid_command",
                "title": "error when validating input command: 'assigneeid' field must be an uuid",
                "meta": {"entity": "assigneeid", "rule": "uuid"},
            }
        ]


def test_it_keeps_what_a_case_was_made_for(ask, project, admin):
    finding = FindingFactory()
    case = services.open_manual_case([finding.pk], project=project, actor=admin)
    services.detach([finding.pk], actor=admin)
    manual = ask.post("/cases", new(project.pk)).json()["data"]["attributes"]["key"]
    services.attach(Case.objects.get(key=manual), [finding.pk], actor=admin)

    def source(key):
        return ask.get(f"/cases/{key}").json()["data"]["attributes"]["creation_source"]

    assert (source(case.key), source(manual)) == ("CS_SECURITY_FINDING", "MANUAL")


def test_what_a_key_does_is_done_in_the_name_of_who_answers_for_it(ask, project, admin):
    key = ask.post("/cases", new(project.pk)).json()["data"]["attributes"]["key"]
    ask.post(f"/cases/{key}/comment", said(comment="Seen"))
    ask.post(f"/cases/{key}/priority", said(priority="P1"))

    [cell] = ask.get(f"/cases/{key}/timelines").json()["data"]
    assert cell["attributes"]["author"]["content"]["id"] == str(admin.pk)
    people = ask.get(f"/cases/{key}").json()["data"]["relationships"]
    assert {people[who]["data"]["id"] for who in ("created_by", "modified_by")} == {str(admin.pk)}
