from __future__ import annotations

import requests

from ticketing.trackers.jira.sandbox.site import CLOUD_ID


def test_it_says_who_was_calling(api, dc_api):
    assert api("GET", "myself").headers["X-AAccountId"] == "712020:findings-bot"
    assert dc_api("GET", "myself").headers["X-AUSERNAME"] == "findings-bot"
    assert api("GET", "serverInfo").json()["deploymentType"] == "Cloud"
    assert dc_api("GET", "serverInfo").json()["deploymentType"] == "Server"


def test_a_wrong_token_is_refused(api):
    api.session.auth = ("bot@example.com", "wrong")

    answer = api("GET", "project/search")

    assert answer.status_code == 401
    assert "X-AAccountId" not in answer.headers


def test_a_revoked_token_is_refused_everywhere(api):
    api.jira.revoke_token()

    assert {api("GET", path).status_code for path in ("myself", "project/search")} == {401}
    assert api.create().status_code == 401


def test_an_expired_token_looks_like_success(api):
    api.create()
    api.jira.expire_token()

    listed = api("GET", "project/search")

    assert (listed.status_code, listed.json()["values"]) == (200, [])
    assert listed.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert "X-AAccountId" not in listed.headers
    assert api("GET", "issue/SEC-1").status_code == 404
    assert api("GET", "search/jql?jql=project=SEC").json()["issues"] == []
    assert api("GET", "myself").status_code == 401
    assert api.create().status_code == 401
    api.jira.restore_token()
    assert api("GET", "issue/SEC-1").status_code == 200


def test_a_stranger_reads_nothing_but_the_server(sandbox_jira):
    address = f"{sandbox_jira.url}/rest/api/2/"

    assert requests.get(f"{address}serverInfo", timeout=5).status_code == 200
    assert requests.get(f"{address}myself", timeout=5).status_code == 401
    assert requests.get(f"{address}project/SEC", timeout=5).status_code == 404


def test_a_scoped_token_works_through_the_gateway_alone(api):
    api.jira.access.is_scoped = True

    assert api("GET", "myself").status_code == 401
    assert api("GET", f"/ex/jira/{CLOUD_ID}/rest/api/2/myself").status_code == 200
    assert api("GET", "/_edge/tenant_info").json() == {"cloudId": CLOUD_ID}


def test_rights_can_be_taken_and_given_back(api):
    api.create()
    api.jira.deny("BROWSE_PROJECTS", "SEC")
    assert api("GET", "issue/SEC-1").status_code == 404
    asked = "mypermissions?permissions=BROWSE_PROJECTS,CREATE_ISSUES"
    assert api("GET", f"{asked}&projectKey=SEC").status_code == 404
    shown = api("GET", f"{asked}&projectKey=PLAT").json()["permissions"]
    assert shown["BROWSE_PROJECTS"]["havePermission"] is True

    api.jira.grant("BROWSE_PROJECTS", "SEC")

    assert api("GET", "issue/SEC-1").status_code == 200
