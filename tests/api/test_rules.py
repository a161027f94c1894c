"""Ticket creation rules over the public API: each quirk of it has a test."""

from __future__ import annotations

import uuid

import pytest

from automation.api.documents import SYSTEM_ID
from automation.models import Rule, RuleSetVersion
from automation.rules import services
from config.accounts.roles import Permission
from findings.facts import FindingType
from tests.api.rules import FULL, JSON_API, NOBODY, URL, create, refused, said

pytestmark = pytest.mark.django_db

# --- Create, get, update, delete ---------------------------------------------------------------


def test_it_creates_a_rule_and_echoes_all_of_it(ask, editor, frozen):
    answer = ask("post", "", FULL)
    assert (answer.status_code, answer["Content-Type"]) == (201, JSON_API)
    rule = answer.json()["data"]
    who = {"type": "user", "id": str(editor.pk), "name": "Edith Editor"}
    now = 1795435200000
    assert rule["attributes"] == FULL["data"]["attributes"] | {
        "created_at": now,
        "modified_at": now,
        "created_by": who,
        "modified_by": who,
    }
    assert ask("get", f"/{rule['id']}").json()["data"] == rule


def test_it_leaves_out_what_is_not_set(ask):
    shown = ask("post", "", said()).json()["data"]["attributes"]
    assert shown["rule"] == {"finding_types": ["library_vulnerability"]}
    assert set(shown["action"]) == {"target", "project_id", "max_tickets_per_day"}


def test_it_takes_null_for_every_optional(ask):
    sent = said({"assignee_id": None, "fields": None}, {"query": None}, enabled=None)
    shown = ask("post", "", sent).json()["data"]["attributes"]
    assert shown["enabled"] is True
    assert set(shown["action"]) == {"target", "project_id", "max_tickets_per_day"}
    assert set(shown["rule"]) == {"finding_types"}


def test_it_enables_a_rule_that_does_not_say(ask):
    assert ask("post", "", said()).json()["data"]["attributes"]["enabled"] is True


def test_it_ignores_members_it_does_not_know(ask):
    sent = said({"auto_disabled_reason": "mine", "later": 1}, severity="high")
    shown = ask("post", "", sent).json()["data"]["attributes"]
    assert "auto_disabled_reason" not in shown["action"]
    assert "severity" not in shown


@pytest.mark.parametrize("fields", [{}, {"a": None}, {"b": {"z": 1, "a": [[]]}}, {"ü": "€ 𝄞"}])
def test_it_echoes_the_structure_of_fields(ask, fields):
    shown = ask("post", "", said({"fields": fields})).json()["data"]["attributes"]
    assert shown["action"]["fields"] == fields


@pytest.mark.parametrize("name", [" padded ", "x", "x" * 255, "<b>&amp;</b>", "𝄞" * 255])
def test_it_echoes_the_name_as_it_was_sent(ask, name):
    assert ask("post", "", said(name=name)).json()["data"]["attributes"]["name"] == name


@pytest.mark.parametrize("name", ["twin", " Twin "])
def test_it_refuses_a_name_that_another_rule_has(ask, name):
    _, other = create(ask, "twin", "other")
    for answer in (ask("post", "", said(name=name)), ask("put", f"/{other}", said(name=name))):
        [refused] = answer.json()["errors"]
        assert answer.status_code == int(refused["status"]) == 422
        assert refused["source"]["pointer"] == "/data/attributes/name"
        assert refused["detail"] == f"Another rule is already called “{name}”."


def test_a_rule_keeps_its_own_name(ask):
    [pk] = create(ask, "twin")
    assert ask("put", f"/{pk}", said(name="TWIN")).status_code == 200


@pytest.mark.parametrize("kind", list(FindingType))
def test_it_knows_every_finding_type(ask, kind):
    assert ask("post", "", said(rule={"finding_types": [kind]})).status_code == 201


@pytest.mark.parametrize("with_id", [True, False])
def test_it_updates_with_and_without_an_id_in_the_body(ask, with_id, frozen):
    rule = ask("post", "", FULL).json()["data"]
    frozen.shift(60)
    sent = said(name="Renamed")
    if with_id:
        sent["data"]["id"] = rule["id"]
    answer = ask("put", f"/{rule['id']}", sent)
    assert (answer.status_code, answer["Content-Type"]) == (200, JSON_API)
    shown = answer.json()["data"]["attributes"]
    assert shown["name"] == "Renamed"
    assert shown["modified_at"] == rule["attributes"]["modified_at"] + 60_000
    assert shown["created_at"] == rule["attributes"]["created_at"]


def test_an_update_clears_what_it_does_not_name(ask):
    [rule] = [ask("post", "", FULL).json()["data"]]
    shown = ask("put", f"/{rule['id']}", said()).json()["data"]["attributes"]
    assert set(shown["action"]) == {"target", "project_id", "max_tickets_per_day"}
    assert set(shown["rule"]) == {"finding_types"}
    assert shown["enabled"] is True


def test_it_refuses_another_id_in_the_body(ask):
    [rule] = create(ask, "A")
    sent = said(name="B")
    sent["data"]["id"] = NOBODY
    refused(ask("put", f"/{rule}", sent), 400, "/data/id")
    assert Rule.objects.get().name == "A"


def test_it_deletes_with_no_body_and_no_content_type(ask):
    [rule] = create(ask, "A")
    answer = ask("delete", f"/{rule}", Accept="*/*")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer
    assert ask("delete", f"/{rule}").status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete"])
@pytest.mark.parametrize("rule_id", [NOBODY, "nope", "%00", "x" * 2_000, "..", "%2e%2e"])
def test_it_does_not_know_a_rule_by_another_id(ask, method, rule_id):
    answer = ask(method, f"/{rule_id}", said() if method == "put" else None)
    assert answer.status_code == 404
    [error] = answer.json()["errors"]
    assert error == {"status": "404", "title": "Not Found", "detail": "rule does not exist"}


def test_it_finds_a_rule_by_its_id_in_capitals(ask):
    [rule] = create(ask, "A")
    assert ask("get", f"/{rule.upper()}").json()["data"]["id"] == rule


@pytest.mark.parametrize("rule", [{"query": ""}, {}, {"query": "env:prod"}])
def test_it_echoes_what_is_said_of_a_rule_as_it_was_sent(ask, rule):
    """Terraform takes anything else for drift."""
    rule = {"finding_types": ["secret", "misconfiguration", "secret"]} | rule
    document = said()
    document["data"]["attributes"]["rule"] = rule
    made = ask("post", "", document).json()["data"]
    assert made["attributes"]["rule"] == rule
    assert ask("get", f"/{made['id']}").json()["data"]["attributes"]["rule"] == rule


# --- Who ---------------------------------------------------------------------------------------


def test_a_rule_is_by_the_person_who_made_the_key(ask, editor):
    create(ask, "A")
    rule = Rule.objects.get()
    assert rule.created_by == rule.modified_by == editor
    assert RuleSetVersion.objects.get().created_by == editor
    assert rule.history.get().history_change_reason == "API key terraform: created"


def test_a_rule_is_by_the_system_if_nobody_made_the_key(api, make_key):
    headers = {"DD-API-KEY": make_key(*(Permission.RULES_READ, Permission.RULES_WRITE))}
    shown = api.post(URL, said(), "application/json", headers=headers).json()["data"]["attributes"]
    assert shown["created_by"] == {"type": "system", "id": SYSTEM_ID, "name": "System"}


def test_a_broken_rule_says_why_and_that_the_system_did_it(ask):
    [rule] = create(ask, "A")
    services.break_rule(uuid.UUID(rule), reason="The case project does not exist.")
    shown = ask("get", f"/{rule}").json()["data"]["attributes"]
    assert shown["enabled"] is False
    assert shown["modified_by"]["type"] == "system"
    assert shown["action"]["auto_disabled_reason"] == "The case project does not exist."
    assert ask("put", f"/{rule}", said(enabled=False)).json()["data"]["attributes"]["action"][
        "auto_disabled_reason"
    ]
    repaired = ask("put", f"/{rule}", said()).json()["data"]["attributes"]
    assert repaired["enabled"] is True
    assert "auto_disabled_reason" not in repaired["action"]
