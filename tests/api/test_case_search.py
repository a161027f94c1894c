"""Cases are found and counted over the public API."""

from __future__ import annotations

import pytest

from config.accounts.roles import Permission
from tests.api.asking import refusal
from tests.api.test_cases import said
from tests.factories import (
    FindingFactory,
    JiraAccountFactory,
    ProjectFactory,
    UserFactory,
    opened_case,
)
from ticketing import services
from ticketing.models import Case, JiraUser

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(machine):
    return machine(Permission.CASES_READ)


@pytest.fixture
def project(db):
    return ProjectFactory(key="SEC", name="Security")


@pytest.fixture
def many(project):
    ops = ProjectFactory(key="OPS")
    person = UserFactory(name="Maya")
    cases = [
        opened_case(project, title="Alpha", priority="P3"),
        opened_case(project, title="Beta", priority="P1", assignee_id=person.pk),
        opened_case(ops, title="Gamma", priority="NOT_DEFINED"),
    ]
    services.change_case(cases[1], status="CLOSED", actor=None)
    services.archive(opened_case(ops, title="Hidden"), actor=None)
    return cases


def titles(answer):
    assert answer.status_code == 200, answer.json()
    return [each["attributes"]["title"] for each in answer.json()["data"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Gamma", "Beta", "Alpha"]),
        ("sort[asc]=true", ["Alpha", "Beta", "Gamma"]),
        ("sort[field]=priority&sort[asc]=true", ["Beta", "Alpha", "Gamma"]),
        ("sort[field]=priority", ["Alpha", "Beta", "Gamma"]),
        ("sort[field]=status&sort[asc]=true", ["Gamma", "Alpha", "Beta"]),
        ("filter=status:open", ["Gamma", "Alpha"]),
        ("filter=project:SEC alph", ["Alpha"]),
        ("filter=assignee:maya", ["Beta"]),
        ("filter=priority:(P1 OR P3)&sort[asc]=true", ["Alpha", "Beta"]),
        ("page[size]=2", ["Gamma", "Beta"]),
        ("page[size]=2&page[number]=1", ["Gamma", "Beta"]),
        ("page[size]=2&page[number]=2", ["Alpha"]),
        ("page[size]=2&page[number]=9", []),
    ],
)
def test_it_searches_sorts_and_pages(ask, many, query, found):
    assert titles(ask.get(f"/cases?{query}")) == found


def test_a_page_says_where_it_is(ask, many):
    page = ask.get("/cases?page[size]=2&page[number]=2").json()["meta"]["page"]
    assert page == {"current": 2, "size": 1, "total": 2, "total_cases": 3}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("filter=status:done", "filter"),
        ("filter=a%00b", "filter"),
        ("sort[field]=title", "sort[field]"),
        ("sort[asc]=up", "sort[asc]"),
        ("page[size]=101", "page[size]"),
        ("page[size]=0", "page[size]"),
        ("page[number]=-1", "page[number]"),
    ],
)
def test_it_refuses_a_bad_parameter_by_its_name(ask, query, parameter):
    status, _, where = refusal(ask.get(f"/cases?{query}"))
    assert (status, where) == (400, parameter)


def test_a_key_of_nobody_cannot_ask_for_me(api, make_key):
    headers = {"DD-API-KEY": make_key(Permission.CASES_READ)}
    answer = api.get("/api/v2/cases?filter=assignee:me", headers=headers)
    assert refusal(answer)[0] == 400


def test_searching_costs_the_same_for_many(ask, project, django_assert_num_queries):
    def fill(number):
        for _ in range(number):
            finding = FindingFactory()
            case = services.open_manual_case([finding.pk], project=project, actor=None)
            services.comment(case, "x", actor=None)

    fill(1)
    ask.get("/cases")
    for _ in range(2):
        with django_assert_num_queries(6):
            assert ask.get("/cases?page[size]=100").status_code == 200
        fill(12)


def test_it_counts_by_group(ask, many):
    answer = ask.get("/cases/count?group_bys=status,priority,assignee&query_filter=project:SEC")
    data = answer.json()["data"]
    groups = {each["group"]: each["group_values"] for each in data["attributes"]["groups"]}
    assert groups["status"] == [{"value": "CLOSED", "count": 1}, {"value": "OPEN", "count": 1}]
    assert groups["priority"] == [{"value": "P1", "count": 1}, {"value": "P3", "count": 1}]
    assert {each["value"] for each in groups["assignee"]} == {
        "none",
        str(many[1].assignee_id),
    }


def test_somebody_in_jira_is_found_and_counted_by_name_and_related_to_nobody(ask, many):
    priya = JiraUser.objects.create(account=JiraAccountFactory(), user_id="1", name="Priya")
    Case.objects.filter(pk=many[0].pk).update(jira_assignee=priya)

    found = ask.get("/cases?filter=assignee:priya").json()["data"]
    assert [each["relationships"]["assignee"] for each in found] == [{"data": None}]
    counted = ask.get("/cases/count?group_bys=assignee&query_filter=title:Alpha").json()
    [group] = counted["data"]["attributes"]["groups"]
    assert group["group_values"] == [{"value": "Priya · Jira", "count": 1}]


def test_it_counts_all_without_a_group_and_keeps_to_the_limit(ask, many):
    [total] = ask.get("/cases/count").json()["data"]["attributes"]["groups"]
    assert total["group_values"] == [{"value": "total", "count": 3}]
    answer = ask.get("/cases/count?group_bys=project&limit=1").json()
    assert answer["data"]["attributes"]["groups"][0]["group_values"] == [
        {"value": "SEC", "count": 2}
    ]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("group_bys=team", "group_bys"), ("limit=0", "limit"), ("limit=x", "limit"),
     ("query_filter=status:no", "query_filter")],
)  # fmt: skip
def test_counting_refuses_a_bad_parameter(ask, query, parameter):
    assert refusal(ask.get(f"/cases/count?{query}"))[::2] == (400, parameter)


def test_it_aggregates_by_several_fields(ask, many):
    group_by = {"groups": ["project", "status"], "limit": 10}
    body = said("aggregate", query_filter="", group_by=group_by)
    attributes = ask.post("/cases/aggregate", body).json()["data"]["attributes"]
    assert attributes["total"] == 3
    assert {(each["group"], *each["value"]) for each in attributes["groups"]} == {
        ("SEC,OPEN", 1),
        ("SEC,CLOSED", 1),
        ("OPS,OPEN", 1),
    }


@pytest.mark.parametrize(
    "group_by",
    [
        {"groups": ["team"], "limit": 1},
        {"groups": [], "limit": 1},
        {"groups": ["status"], "limit": 1001},
    ],
)
def test_aggregating_refuses_what_is_no_group(ask, group_by):
    body = said("aggregate", query_filter="", group_by=group_by)
    status, _, where = refusal(ask.post("/cases/aggregate", body))
    assert (status, where.startswith("/data/attributes/group_by")) == (400, True)
