from __future__ import annotations

from datetime import timedelta

import pytest


def found(api, jql: str, **more) -> list[str]:
    body = {"jql": jql, "fields": ["summary"], **more}
    return [issue["key"] for issue in api("POST", "search/jql", json=body).json()["issues"]]


@pytest.fixture
def filled(api, frozen):
    api.create("First", labels=["fa-1"], description="see fa-first")
    frozen.shift(timedelta(hours=1))
    api.create("Second", labels=["fa-2"])
    api.jira.create_issue("PLAT", "Third", labels=["fa-1"])
    return api


@pytest.mark.parametrize(
    ("jql", "keys"),
    [
        ('project = SEC AND labels = "fa-1"', ["SEC-1"]),
        ('labels = "fa-1" ORDER BY key ASC', ["PLAT-1", "SEC-1"]),
        ("project = 10000 ORDER BY key DESC", ["SEC-2", "SEC-1"]),
        ("key in (SEC-2, SEC-1) order by created asc", ["SEC-1", "SEC-2"]),
        ("key = SEC-2", ["SEC-2"]),
        ("id in (10001)", ["SEC-1"]),
        ('project = SEC AND created >= "-15m"', ["SEC-2"]),
        ("project = SEC AND updated >= -2h ORDER BY updated DESC", ["SEC-2", "SEC-1"]),
        (r'description ~ "\"fa-first\""', ["SEC-1"]),
        ("project = SEC AND statusCategory != Done ORDER BY id ASC", ["SEC-1", "SEC-2"]),
        ("statusCategory = Done", []),
    ],
)
def test_it_understands_the_questions_that_are_asked(filled, jql, keys):
    assert found(filled, jql) == keys


@pytest.mark.parametrize(
    ("jql", "reason"),
    [
        ("", "Unbounded"),
        ("order by created", "Unbounded"),
        ("colour = red", "does not exist"),
        ("project = SEC OR project = OPS", "Expecting"),
        ("labels ~ x", "not supported"),
        ('created >= "soon"', "invalid"),
    ],
)
def test_it_refuses_what_it_does_not_understand(filled, jql, reason):
    answer = filled("GET", "search/jql", params={"jql": jql})

    assert answer.status_code == 400
    assert reason in answer.json()["errorMessages"][0]


def test_it_gives_only_ids_unless_asked_for_more(filled):
    issue = filled("GET", "search/jql?jql=key=SEC-1").json()["issues"][0]

    assert "fields" not in issue
    assert issue["id"] == "10001"


def test_it_pages_by_token(filled):
    query = {"jql": "project in (SEC, PLAT) ORDER BY id ASC", "maxResults": 2, "fields": "id"}

    first = filled("GET", "search/jql", params=query).json()
    more = filled("GET", "search/jql", params=query | {"nextPageToken": first["nextPageToken"]})

    assert first["isLast"] is False
    assert len(first["issues"]) == 2
    assert len(more.json()["issues"]) == 1
    assert more.json()["isLast"] is True
    assert "nextPageToken" not in more.json()


def test_the_index_is_late_and_a_read_by_key_is_not(api, frozen):
    api.jira.site.lag = 30
    api.create(labels=["fa-1"])

    assert found(api, 'labels = "fa-1"') == []
    fetched = api("POST", "issue/bulkfetch", json={"issueIdsOrKeys": ["SEC-1", "SEC-2"]})
    assert [issue["key"] for issue in fetched.json()["issues"]] == ["SEC-1"]
    frozen.shift(timedelta(seconds=30))
    assert found(api, 'labels = "fa-1"') == ["SEC-1"]


def test_the_index_is_late_with_updates_too(api, frozen):
    api.create()
    api.jira.site.lag = 30
    frozen.shift(timedelta(hours=1))
    api.jira.edit("SEC-1", summary="New")

    assert found(api, "project = SEC AND updated >= -15m") == []
    frozen.shift(timedelta(seconds=31))
    assert found(api, "project = SEC AND updated >= -15m") == ["SEC-1"]


def test_one_issue_can_be_kept_from_the_index(api, frozen):
    api.create()
    api.jira.hide_from_search("SEC-1", api.jira.now() + timedelta(days=1))

    assert found(api, "project = SEC") == []
    api.jira.index_now()
    assert found(api, "project = SEC") == ["SEC-1"]


def test_a_moved_issue_answers_to_its_former_key(api):
    api.create(labels=["fa-1"])
    api.jira.move("SEC-1", "PLAT")

    assert api("GET", "issue/SEC-1").json()["key"] == "PLAT-1"
    fetched = api("POST", "issue/bulkfetch", json={"issueIdsOrKeys": ["SEC-1"]}).json()
    assert [issue["key"] for issue in fetched["issues"]] == ["PLAT-1"]
    assert found(api, "key = SEC-1") == ["PLAT-1"]


def test_search_by_number_is_gone_on_cloud_and_lives_on_data_center(api, dc_api):
    dc_api.create()

    assert api("GET", "search?jql=project=SEC").status_code == 410
    answer = dc_api("GET", "search?jql=project=SEC&fields=summary").json()
    assert (answer["total"], answer["issues"][0]["key"]) == (1, "SEC-1")
    assert dc_api("GET", "search/jql?jql=project=SEC").status_code == 404


def test_named_ids_are_searched_fresh(api, frozen):
    api.jira.site.lag = 30
    number = int(api.create(labels=["fa-1"]).json()["id"])

    assert found(api, "labels = fa-1") == []
    assert found(api, "labels = fa-1", reconcileIssues=[number]) == ["SEC-1"]


@pytest.mark.parametrize("jql", ["project = NOPE", "key = SEC-99", "key in (SEC-1, SEC-99)"])
def test_what_a_question_names_must_exist(filled, jql):
    answer = filled("GET", "search/jql", params={"jql": jql})

    assert answer.status_code == 400
    assert "does not exist" in answer.json()["errorMessages"][0]


def test_data_center_can_be_asked_not_to_mind(dc_api):
    dc_api.create()
    jql = {"jql": "key in (SEC-1, SEC-99)"}

    assert dc_api("GET", "search", params=jql).status_code == 400
    assert dc_api("GET", "search", params=jql | {"validateQuery": "false"}).json()["total"] == 1


def test_data_center_gives_no_properties_in_a_search(dc_api):
    dc_api.create()
    dc_api("PUT", "issue/SEC-1/properties/app", json=1)

    issue = dc_api("GET", "search?jql=key=SEC-1&properties=app").json()["issues"][0]

    assert "properties" not in issue


def test_a_hidden_issue_is_there_for_others_alone(api):
    api.create(labels=["fa-1"])
    api.jira.hide("SEC-1")

    assert api("GET", "issue/SEC-1").status_code == 404
    assert found(api, "labels = fa-1") == []
    assert "SEC-1" in api("GET", "/projects/SEC").text
    api.jira.show("SEC-1")
    assert found(api, "labels = fa-1") == ["SEC-1"]
