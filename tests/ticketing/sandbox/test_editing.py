from __future__ import annotations

from datetime import timedelta

import pytest

from ticketing.trackers.jira.sandbox.defaults import DANA


@pytest.fixture
def issue(api) -> str:
    return api.create(labels=["fa-1"]).json()["key"]


def changes(api, key: str) -> list[tuple]:
    """Newest first: who, field, from, to."""
    log = api("GET", f"issue/{key}?expand=changelog").json()["changelog"]["histories"]
    return [
        (one["author"]["displayName"], item["field"], item["fromString"], item["toString"])
        for one in log
        for item in one["items"]
    ]


def test_an_edit_leaves_a_trace_and_the_same_value_none(api, issue):
    assert api("PUT", f"issue/{issue}", json={"fields": {"summary": "New"}}).status_code == 204
    api("PUT", f"issue/{issue}", json={"fields": {"summary": "New"}})
    api("PUT", f"issue/{issue}", json={"update": {"labels": [{"add": "extra"}]}})

    assert changes(api, issue) == [
        ("Findings Bot", "labels", "fa-1", "extra fa-1"),
        ("Findings Bot", "summary", "Leaked key", "New"),
    ]


def test_a_person_assigns_and_takes_away(api, issue):
    api.jira.assign(issue, DANA)
    api("PUT", f"issue/{issue}/assignee", json={"accountId": None})

    assert changes(api, issue) == [
        ("Findings Bot", "assignee", "Dana Developer", None),
        ("Dana Developer", "assignee", None, "Dana Developer"),
    ]
    refused = api("PUT", f"issue/{issue}/assignee", json={"accountId": "712020:ivan"})
    assert "cannot be assigned" in refused.json()["errors"]["assignee"]


def test_it_steps_through_the_workflow(api, issue):
    steps = api("GET", f"issue/{issue}/transitions").json()["transitions"]
    done = next(step for step in steps if step["to"]["statusCategory"]["key"] == "done")

    answer = api("POST", f"issue/{issue}/transitions", json={"transition": {"id": done["id"]}})

    assert answer.status_code == 204
    fields = api("GET", f"issue/{issue}").json()["fields"]
    assert fields["status"]["name"] == "Done"
    assert fields["resolution"]["name"] == "Done"


def test_operations_have_no_way_back_from_done(api):
    key = api.jira.create_issue("OPS", "Disk").key
    api.jira.set_status(key, "Done")

    assert api("GET", f"issue/{key}/transitions").json()["transitions"] == []
    refused = api("POST", f"issue/{key}/transitions", json={"transition": {"id": "11"}})
    assert refused.status_code == 400


def test_a_comment_carries_properties_and_moves_the_time(api, issue, frozen):
    frozen.shift(timedelta(minutes=1))
    body = {"body": "Rotated", "properties": [{"key": "app.comment", "value": "c1"}]}
    made = api("POST", f"issue/{issue}/comment", json=body)

    assert made.status_code == 201
    read = api("GET", f"issue/{issue}/comment?expand=properties").json()["comments"][0]
    assert read["properties"] == [{"key": "app.comment", "value": "c1"}]
    own = api("GET", f"comment/{read['id']}/properties/app.comment").json()
    assert own == {"key": "app.comment", "value": "c1"}
    fields = api("GET", f"issue/{issue}?fields=updated,comment").json()["fields"]
    assert fields["updated"] == "2026-11-23T12:01:00.000+0000"
    assert fields["comment"]["total"] == 1


def test_a_comment_is_edited_and_deleted(api, issue):
    number = api.jira.comment(issue, "First").id
    path = f"issue/{issue}/comment/{number}"

    assert api("PUT", path, json={"body": "Second"}).json()["body"] == "Second"
    assert api("DELETE", path).status_code == 204
    assert api("GET", path).status_code == 404
    assert api("POST", f"issue/{issue}/comment", json={"body": ""}).status_code == 400


def test_a_remote_link_is_one_per_global_id(api, issue):
    link = {"globalId": "fa-1", "object": {"url": "https://fa.example/1", "title": "Finding"}}

    first = api("POST", f"issue/{issue}/remotelink", json=link)
    second = api("POST", f"issue/{issue}/remotelink", json=link)

    assert (first.status_code, second.status_code) == (201, 200)
    (read,) = api("GET", f"issue/{issue}/remotelink").json()
    assert read["object"]["title"] == "Finding"
    missing = api("POST", f"issue/{issue}/remotelink", json={"object": {"title": "x"}})
    assert missing.json()["errors"] == {"object.url": "'url' is required."}


def test_issues_are_linked_to_each_other(api, issue):
    other = api.create().json()["key"]
    ends = {"inwardIssue": {"key": issue}, "outwardIssue": {"key": other}}

    assert api("POST", "issueLink", json={"type": {"name": "Blocks"}, **ends}).status_code == 201

    (link,) = api("GET", f"issue/{issue}").json()["fields"]["issuelinks"]
    assert link["outwardIssue"]["key"] == other
    assert api("DELETE", f"issueLink/{link['id']}").status_code == 204
    assert api("GET", f"issue/{issue}").json()["fields"]["issuelinks"] == []


def test_properties_are_set_read_and_deleted(api, issue):
    path = f"issue/{issue}/properties/app.ticket"

    assert api("PUT", path, json={"key": "fa-1"}).status_code == 201
    assert api("PUT", path, json={"key": "fa-2"}).status_code == 200
    assert api("GET", path).json() == {"key": "app.ticket", "value": {"key": "fa-2"}}
    assert api("DELETE", path).status_code == 204
    assert api("GET", path).status_code == 404
    assert api("PUT", path, json="x" * 33_000).status_code == 400


def test_a_deleted_issue_is_gone(api, issue):
    assert api("DELETE", f"issue/{issue}").status_code == 204
    assert api("GET", f"issue/{issue}").status_code == 404
    assert api.create().json()["key"] == "SEC-2"


def test_an_issue_of_an_archived_project_cannot_be_changed(api, issue):
    api.jira.archive("SEC")

    assert api("GET", f"issue/{issue}").status_code == 200
    assert api("PUT", f"issue/{issue}", json={"fields": {"summary": "x"}}).status_code == 400
    assert api("POST", f"issue/{issue}/comment", json={"body": "x"}).status_code == 400
    assert api("GET", f"issue/{issue}/transitions").json()["transitions"] == []


def test_a_step_to_done_may_ask_for_a_resolution(api, issue):
    api.jira.demand_resolution("SEC")
    path = f"issue/{issue}/transitions"
    steps = api("GET", f"{path}?expand=transitions.fields").json()["transitions"]
    done = next(step for step in steps if step["to"]["name"] == "Done")
    assert done["fields"]["resolution"]["required"] is True

    refused = api("POST", path, json={"transition": {"id": done["id"]}})
    body = {"transition": {"id": done["id"]}, "fields": {"resolution": {"id": "10000"}}}

    assert refused.json()["errors"] == {"resolution": "Resolution is required."}
    assert api("POST", path, json=body).status_code == 204


def test_fields_and_verbs_do_not_meet_on_one_field(api):
    body = {
        "fields": {"project": {"key": "SEC"}, "issuetype": {"id": "10001"}, "summary": "x"},
        "update": {"labels": [{"add": "fa-1"}]},
    }
    key = api("POST", "issue", json=body).json()["key"]
    body["fields"]["labels"] = ["fa-2"]

    assert api("GET", f"issue/{key}").json()["fields"]["labels"] == ["fa-1"]
    assert "labels" in api("POST", "issue", json=body).json()["errors"]
