"""What the public API refuses of rules, and of whom."""

from __future__ import annotations

import json

import pytest

from automation.models import Rule
from config.accounts.api_keys import create_api_key, revoke_api_key
from config.accounts.roles import Permission
from tests.api.rules import JSON_API, NOBODY, URL, create, refused, said

pytestmark = pytest.mark.django_db

# --- What is refused ---------------------------------------------------------------------------

_ATTRIBUTES = "/data/attributes"


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        (said(name=""), f"{_ATTRIBUTES}/name"),
        (said(name="   "), f"{_ATTRIBUTES}/name"),
        (said(name="x" * 256), f"{_ATTRIBUTES}/name"),
        (said(rule={"finding_types": []}), f"{_ATTRIBUTES}/rule/finding_types"),
        (said(rule={"finding_types": ["nope"]}), f"{_ATTRIBUTES}/rule/finding_types"),
        (said(rule={"query": "@workflow.mute.is_muted:true"}), f"{_ATTRIBUTES}/rule/query"),
        (said(rule={"query": "team:x -@status:open"}), f"{_ATTRIBUTES}/rule/query"),
        (said(rule={"query": "(team:x"}), f"{_ATTRIBUTES}/rule/query"),
        (said(rule={"query": "x" * 30_001}), f"{_ATTRIBUTES}/rule/query"),
        (said({"target": "linear"}), f"{_ATTRIBUTES}/action/target"),
        (said({"target": ""}), f"{_ATTRIBUTES}/action/target"),
        (said({"max_tickets_per_day": 0}), f"{_ATTRIBUTES}/action/max_tickets_per_day"),
        (said({"max_tickets_per_day": 501}), f"{_ATTRIBUTES}/action/max_tickets_per_day"),
        (said({"max_tickets_per_day": 10**30}), f"{_ATTRIBUTES}/action/max_tickets_per_day"),
        (said({"fields": {"x": "x" * 70_000}}), f"{_ATTRIBUTES}/action/fields"),
        (said({"fields": {"summary": "{{nonsense}}"}}), f"{_ATTRIBUTES}/action/fields"),
    ],
)
@pytest.mark.parametrize("method", ["post", "put"])
def test_it_refuses_a_value_that_a_rule_cannot_have(ask, method, sent, pointer):
    [rule] = create(ask, "A")
    answer = ask(method, f"/{rule}" if method == "put" else "", sent)
    assert refused(answer, 422, pointer)
    assert list(Rule.objects.values_list("name", flat=True)) == ["A"]


def test_it_names_everything_that_is_wrong_at_once(ask):
    sent = said({"max_tickets_per_day": 501, "target": "linear"}, {"query": "("}, name="")
    answer = ask("post", "", sent)
    assert len(answer.json()["errors"]) == 4


def test_it_says_where_in_the_query_the_fault_is(ask):
    sent = said(rule={"query": "team:x @status:open"})
    assert "at character 8" in refused(ask("post", "", sent), 422, f"{_ATTRIBUTES}/rule/query")


def test_it_accepts_a_query_of_30_000_characters(ask):
    query = f'team:"{"x" * 29_993}"'
    answer = ask("post", "", said(rule={"query": query}))
    assert answer.json()["data"]["attributes"]["rule"]["query"] == query


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        (" ", None),
        ("{}", None),
        ('{"data": []}', "/data"),
        ('{"data": {"type": "ticket_creation_rules"}}', "/data/attributes"),
        ({"data": said()["data"] | {"type": "mute_rules"}}, "/data/type"),
        (said({"project_id": "nope"}), f"{_ATTRIBUTES}/action/project_id"),
        (said({"project_id": None}), f"{_ATTRIBUTES}/action/project_id"),
        (said({"assignee_id": "a@b.example"}), f"{_ATTRIBUTES}/action/assignee_id"),
        (said({"max_tickets_per_day": "10"}), f"{_ATTRIBUTES}/action/max_tickets_per_day"),
        (said({"max_tickets_per_day": 1.5}), f"{_ATTRIBUTES}/action/max_tickets_per_day"),
        (said({"max_tickets_per_day": True}), f"{_ATTRIBUTES}/action/max_tickets_per_day"),
        (said({"fields": ["labels"]}), f"{_ATTRIBUTES}/action/fields"),
        (said(rule={"finding_types": "secret"}), f"{_ATTRIBUTES}/rule/finding_types"),
        (said(rule={"finding_types": ["secret", 7]}), f"{_ATTRIBUTES}/rule/finding_types/1"),
        (said(rule={"query": 7}), f"{_ATTRIBUTES}/rule/query"),
        (said(name=None), f"{_ATTRIBUTES}/name"),
        (said(enabled="yes"), f"{_ATTRIBUTES}/enabled"),
        (said(name="\0"), f"{_ATTRIBUTES}/name"),
    ],
)
def test_it_refuses_another_shape_and_points_at_it(ask, sent, pointer):
    assert refused(ask("post", "", sent), 400, pointer)
    assert not Rule.objects.exists()


@pytest.mark.parametrize("number", ["1e999", "9" * 5_000, "-0", "1.7976931348623157e308"])
def test_it_survives_any_number_in_fields(ask, number):
    body = json.dumps(said({"fields": {"n": "NUMBER"}})).replace('"NUMBER"', number)
    answer = ask("post", "", body)
    assert answer.status_code in (201, 400, 422)
    assert ask("get").status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
def test_it_refuses_another_content_type_in_shape(ask, content_type):
    answer = ask("post", "", "name=x", content_type)
    assert (answer.status_code, answer["Content-Type"]) == (415, JSON_API)
    assert answer.json()["errors"][0]["title"] == "Unsupported Media Type"


# --- Keys --------------------------------------------------------------------------------------


def test_it_refuses_a_stranger_in_words(api):
    answer = api.get(URL)
    assert (answer.status_code, answer["Content-Type"]) == (401, JSON_API)
    assert answer.json()["errors"][0] == "Unauthorized"


def test_it_refuses_a_revoked_key_in_words(api, editor):
    key, raw = create_api_key(
        "old", scopes=(Permission.RULES_READ, Permission.RULES_WRITE), actor=editor
    )
    revoke_api_key(key.pk, actor=None)
    answer = api.get(URL, headers={"DD-API-KEY": raw, "DD-APPLICATION-KEY": raw})
    assert (answer.status_code, answer.json()["errors"][0]) == (401, "Unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "", Permission.RULES_WRITE),
        ("post", "", Permission.RULES_READ),
        ("post", "/reorder", Permission.RULES_READ),
        ("get", f"/{NOBODY}", Permission.RULES_WRITE),
        ("put", f"/{NOBODY}", Permission.RULES_READ),
        ("delete", f"/{NOBODY}", Permission.RULES_READ),
    ],
)
def test_it_refuses_a_key_of_another_scope_in_words(api, make_key, method, path, scope):
    raw = make_key(scope, Permission.FINDINGS_WRITE)
    answer = getattr(api, method)(f"{URL}{path}", headers={"DD-API-KEY": raw})
    assert (answer.status_code, answer["Content-Type"]) == (403, JSON_API)
    forbidden, why = answer.json()["errors"]
    assert forbidden == "Forbidden"
    assert "security_pipelines_" in why


def test_it_accepts_a_bearer_token(api, make_key):
    headers = {"Authorization": f"Bearer {make_key(Permission.RULES_READ)}"}
    assert api.get(URL, headers=headers).status_code == 200


def test_it_says_the_rate_and_refuses_in_words(api, make_key, monkeypatch):
    rates = {"api_key": "1/hour"}
    monkeypatch.setattr("config.accounts.throttling.ApiKeyThrottle.THROTTLE_RATES", rates)
    headers = {"DD-API-KEY": make_key(Permission.RULES_READ)}
    assert api.get(URL, headers=headers)["X-RateLimit-Remaining"] == "0"
    answer = api.get(URL, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]) == (429, "Too Many Requests")
    assert int(answer["X-RateLimit-Reset"]) == int(answer["Retry-After"]) > 0


def test_it_lets_a_person_in_their_session(as_user, viewer):
    assert as_user(viewer).get(URL).status_code == 200
