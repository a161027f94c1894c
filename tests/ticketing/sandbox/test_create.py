from __future__ import annotations

import pytest


def test_it_creates_an_issue_with_its_labels_and_properties(api):
    body = {
        "fields": {
            "project": {"id": "10000"},
            "issuetype": {"id": "10001"},
            "summary": "Leaked key",
            "labels": ["fa-1"],
        },
        "properties": [{"key": "app.ticket", "value": {"key": "fa-1"}}],
    }

    answer = api("POST", "issue", json=body)

    assert answer.status_code == 201
    assert answer.json()["key"] == "SEC-1"
    read = api("GET", "issue/SEC-1?fields=labels,summary,priority&properties=app.ticket").json()
    assert read["fields"]["labels"] == ["fa-1"]
    assert read["fields"]["priority"]["name"] == "Medium"
    assert read["properties"] == {"app.ticket": {"key": "fa-1"}}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("summary", "", "You must specify a summary of the issue."),
        ("summary", "a\nb", "newline"),
        ("summary", "a" * 255, "less than 255"),
        ("description", {"type": "doc"}, "Operation value must be a string"),
        ("description", "a" * 32_768, "32,767"),
        ("labels", ["a b"], "contains spaces"),
        ("assignee", {"accountId": "712020:ivan"}, "cannot be assigned issues"),
        ("customfield_10020", {"id": "1"}, "Option id '1' is not valid"),
        ("customfield_10020", {"value": "Nobody"}, "Option id 'null' is not valid"),
        ("customfield_10012", "7.5", "must be a number"),
        ("customfield_10013", "tomorrow", "Error parsing date"),
        ("customfield_99999", "x", "It is not on the appropriate screen, or unknown."),
        ("project", {"key": "NOPE"}, "Specify a valid project ID or key"),
        ("issuetype", {"id": "1"}, "Specify a valid issue type"),
    ],
)
def test_it_refuses_a_wrong_value_by_the_name_of_its_field(api, field, value, message):
    answer = api.create(**{"summary": "Fine", field: value})

    assert answer.status_code == 400
    assert answer.json()["errorMessages"] == []
    assert message in answer.json()["errors"][field]
    assert api.jira.issues() == []


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("customfield_10010", "Billing", "Billing"),
        ("customfield_10012", 9.8, 9.8),
        ("customfield_10013", "2026-12-01", "2026-12-01"),
        ("customfield_10015", "https://example.com", "https://example.com"),
        ("customfield_10016", ["b", "a"], ["a", "b"]),
        ("customfield_10032", {"name": "on-call"}, {"name": "on-call"}),
    ],
)
def test_it_keeps_plain_values(api, field, value, read):
    key = api.create(**{field: value}).json()["key"]

    assert api("GET", f"issue/{key}").json()["fields"][field] == read


def test_it_keeps_choices_and_people(api):
    fields = {
        "customfield_10020": {"value": "Blue"},
        "customfield_10022": [{"id": "10321"}],
        "customfield_10024": {"id": "10400", "child": {"value": "Dublin"}},
        "customfield_10031": [{"accountId": "712020:dana"}],
        "components": [{"name": "API"}],
        "assignee": {"id": "712020:sam"},
    }
    key = api.create(**fields).json()["key"]

    read = api("GET", f"issue/{key}").json()["fields"]

    assert read["customfield_10020"]["id"] == "10301"
    assert [one["value"] for one in read["customfield_10022"]] == ["SOC 2"]
    assert read["customfield_10024"]["child"]["value"] == "Dublin"
    assert [one["displayName"] for one in read["customfield_10031"]] == ["Dana Developer"]
    assert read["components"][0]["id"] == "10100"
    assert read["assignee"]["displayName"] == "Sam Support"


def test_it_names_every_required_field_that_is_missing(api):
    api.jira.require_field("SEC", "customfield_10020")

    answer = api.create()

    assert answer.json()["errors"] == {"customfield_10020": "Team is required."}


def test_it_uses_up_a_number_with_every_refusal(api):
    api.create(labels=["a b"])
    api.create(labels=["a b"])

    assert api.create().json()["key"] == "SEC-3"


def test_version_3_wants_documents_and_version_2_reads_them_as_wiki(api):
    text = {"type": "text", "text": "Rotate it", "marks": [{"type": "strong"}]}
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [text]}]}

    key = api.create(version="3", description=document).json()["key"]
    refused = api.create(version="3", description="h1. Wiki")

    assert api("GET", f"issue/{key}").json()["fields"]["description"] == "*Rotate it*"
    assert "Atlassian Document" in refused.json()["errors"]["description"]


def test_a_document_that_is_too_long_is_refused_without_a_field(api):
    text = {"type": "text", "text": "a" * 32_767}
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [text]}]}

    answer = api.create(version="3", description=document)

    assert answer.json() == {"errorMessages": ["CONTENT_LIMIT_EXCEEDED"], "errors": {}}


def test_a_step_that_is_refused_leaves_the_issue_created(api):
    body = {
        "fields": {"project": {"key": "OPS"}, "issuetype": {"id": "10001"}, "summary": "Disk"},
        "transition": {"id": "999"},
    }

    answer = api("POST", "issue", json=body)

    assert answer.status_code == 201
    assert answer.json()["transition"]["status"] == 400
    assert len(api.jira.issues("OPS")) == 1


def test_an_archived_project_takes_no_issue_and_is_not_searched(api):
    api.create()
    api.jira.archive("SEC")

    assert "project" in api.create().json()["errors"]
    assert api("GET", "project/SEC").json()["archived"] is True
    assert api("GET", "search/jql?jql=project=SEC").json()["issues"] == []


def test_create_is_refused_without_the_permission(api):
    api.jira.deny("CREATE_ISSUES", "SEC")

    assert api.create().status_code == 403
    assert api("GET", "issue/createmeta/SEC/issuetypes").json()["issueTypes"] == []
    projects = api("GET", "project/search?action=create").json()["values"]
    assert [project["key"] for project in projects] == ["PLAT", "OPS", "DESK"]


def test_data_center_names_people_by_name(dc_api):
    key = dc_api.create(assignee={"name": "dana"}).json()["key"]

    assert dc_api("GET", f"issue/{key}").json()["fields"]["assignee"]["name"] == "dana"
    refused = dc_api.create(assignee={"accountId": "712020:dana"})
    assert "'name' property" in refused.json()["errors"]["assignee"]
