from __future__ import annotations

import pytest
import requests


def lever(api, method: str, name: str, **given):
    return api(method, f"/sandbox/{name}", json=given)


def test_faults_are_set_listed_and_cleared_from_outside(api):
    made = lever(
        api, "POST", "faults", effect="reset", match="POST /issue$", stage="after", times=None
    )
    assert made.status_code == 200
    with pytest.raises(requests.ConnectionError):
        api.create()

    (rule,) = api("GET", "/sandbox/faults").json()

    assert (rule["effect"], rule["hits"], rule["times"]) == ("reset", 1, None)
    lever(api, "DELETE", "faults")
    assert api.create().status_code == 201


def test_requests_and_issues_can_be_looked_at_from_outside(api):
    api.create(labels=["fa-1"])

    (seen,) = api("GET", "/sandbox/requests", params={"match": "POST /issue$"}).json()
    issues = api("GET", "/sandbox/issues", params={"label": "fa-1"}).json()

    assert (seen["method"], seen["status"]) == ("POST", 201)
    assert [issue["key"] for issue in issues] == ["SEC-1"]
    assert api("GET", "/sandbox/issues", params={"label": "fa-2"}).json() == []


def test_settings_rights_fields_and_projects_are_changed_from_outside(api):
    api.create()
    settings = lever(api, "POST", "settings", lag=5, rate=100, token="revoked").json()
    assert (settings["lag"], settings["rate"], settings["token"]) == (5, 100, "revoked")
    assert api("GET", "myself").status_code == 401
    lever(api, "POST", "settings", token="valid")
    lever(api, "POST", "fields", project="SEC", field="duedate", required=True)
    assert api.create().json()["errors"] == {"duedate": "Due date is required."}
    lever(api, "POST", "permissions", permission="CREATE_ISSUES", project="SEC")
    assert api.create().status_code == 403
    lever(api, "POST", "projects", project="SEC", archived=True)
    assert api("GET", "project/SEC").json()["archived"] is True
    moved = lever(api, "POST", "moves", issue="SEC-1", project="OPS").json()
    assert moved == {"key": "OPS-1"}


def test_a_lever_that_is_not_there_or_used_wrongly_says_so(api):
    assert lever(api, "POST", "nothing").status_code == 404
    assert "KeyError" in lever(api, "POST", "faults", effect="burn", match="* .").json()["error"]
