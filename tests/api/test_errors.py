"""Everything that goes wrong under /api/ is told in one shape."""

from __future__ import annotations

import pytest

from config.accounts.roles import Permission

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.views")]


@pytest.fixture
def headers(make_key):
    return {"DD-API-KEY": make_key(*Permission)}


@pytest.fixture
def errors(api, headers):
    def ask(what):
        answer = api.get(f"/api/raise/{what}", headers=headers)
        assert answer["Content-Type"] == "application/vnd.api+json"
        assert {e["status"] for e in answer.json()["errors"]} == {str(answer.status_code)}
        return answer.json()["errors"]

    return ask


@pytest.mark.parametrize(
    ("what", "status", "title"),
    [
        ("404", "404", "Not Found"),
        ("403", "403", "Forbidden"),
        ("400", "400", "Bad Request"),
        ("own", "422", "Unprocessable Entity"),
        ("titled", "422", "Invalid Request"),
    ],
)
def test_it_names_the_fault(errors, what, status, title):
    [error] = errors(what)
    assert (error["status"], error["title"]) == (status, title)


def test_it_points_at_what_the_view_says(errors):
    [error] = errors("own")
    assert error["detail"] == "reorder must include all 3 rules"
    assert error["source"] == {"pointer": "/data"}


def test_it_tells_a_model_validation_apart_by_field(errors):
    told = {e["detail"]: e.get("source") for e in errors("django")}
    assert told == {"Too odd.": {"parameter": "name"}, "Odd as a whole.": None}


def test_it_keeps_what_is_inside_a_crash_to_itself(api, headers):
    answer = api.get("/api/raise/crash", headers=headers | {"X-Request-ID": "abcdef0123456789"})
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/vnd.api+json"
    [error] = answer.json()["errors"]
    assert error["id"] == answer["X-Request-ID"] == "abcdef0123456789"
    assert "secret inside" not in answer.content.decode()


@pytest.mark.parametrize("path", ["/api/", "/api/nothing", "/api/things/7", "/api/things/\0"])
def test_it_answers_an_unknown_address(api, path):
    answer = api.get(path)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["title"] == "Not Found"


def post(api, headers, body, content_type="application/json"):
    return api.post("/api/things", body, content_type, headers=headers)


def test_it_points_into_nested_bodies(api, headers):
    body = {"severity": "huge", "tags": [{"name": "fine"}, {"name": "far too long"}, {}]}
    answer = post(api, headers, body)
    assert answer.status_code == 400
    pointers = [error["source"]["pointer"] for error in answer.json()["errors"]]
    assert pointers == ["/severity", "/tags/1/name", "/tags/2/name"]


def test_it_points_at_the_whole_body_when_no_field_is_at_fault(api, headers):
    [error] = post(api, headers, {"severity": "low"}).json()["errors"]
    assert error["detail"] == "A low thing needs tags."
    assert error["source"] == {"pointer": ""}


def test_it_names_the_parameter_of_a_request_without_a_body(api, headers):
    [error] = api.get("/api/things", headers=headers).json()["errors"]
    assert error["source"] == {"parameter": "name"}


@pytest.mark.parametrize("body", ["", "{", "\xff", "[1, 2", "nul", '{"severity": "high"'])
def test_it_refuses_what_is_not_json(api, headers, body):
    answer = post(api, headers, body.encode("latin-1"))
    assert answer.status_code == 400
    assert answer.json()["errors"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "x" * 5_000, "a/b;c"])
def test_it_refuses_another_media_type(api, headers, content_type):
    assert post(api, headers, "{}", content_type).status_code == 415


@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html", "", ",;,", "x" * 9_000])
def test_it_answers_in_json_api_whatever_is_accepted(api, headers, accept):
    answer = api.get("/api/things?name=x", headers=headers | {"Accept": accept})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/vnd.api+json"


def test_it_tells_the_rate_to_those_who_erred(api, headers):
    assert int(api.get("/api/raise/404", headers=headers)["X-RateLimit-Remaining"]) > 0
