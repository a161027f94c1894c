"""Who may ask the API: keys in their headers, people in their sessions, nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from config.accounts.api_keys import create_api_key, revoke_api_key
from config.accounts.models import ApiKey
from config.accounts.roles import Permission

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.views")]
URL = "/api/things?name=x"
READ, WRITE = Permission.FINDINGS_READ, Permission.FINDINGS_WRITE
THING = {"severity": "high"}


@pytest.mark.parametrize("headers", [{"DD-API-KEY": "{}"}, {"Authorization": "Bearer {}"}])
def test_it_accepts_a_key_in_either_header(api, make_key, headers):
    raw = make_key(READ, name="ci-grype")
    answer = api.get(URL, headers={name: text.format(raw) for name, text in headers.items()})
    assert answer.status_code == 200
    assert answer.json() == {"data": ["ci-grype"]}


def test_it_refuses_a_stranger_and_says_how_to_ask(api):
    answer = api.get(URL)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer.json()["errors"][0]["status"] == "401"


def test_it_counts_the_scopes_of_the_application_key(api, make_key):
    both = {"DD-API-KEY": make_key(WRITE), "DD-APPLICATION-KEY": make_key(READ)}
    assert api.get(URL, headers=both).status_code == 200
    assert api.post("/api/things", THING, "application/json", headers=both).status_code == 403


def test_it_accepts_one_key_in_both_headers(api, make_key):
    raw = make_key(READ)
    headers = {"DD-API-KEY": raw, "DD-APPLICATION-KEY": raw}
    assert api.get(URL, headers=headers).status_code == 200


@pytest.mark.parametrize("broken", ["DD-API-KEY", "DD-APPLICATION-KEY"])
def test_it_needs_both_keys_valid_when_both_are_sent(api, make_key, broken):
    headers = {"DD-API-KEY": make_key(READ), "DD-APPLICATION-KEY": make_key(READ)}
    headers[broken] = headers[broken][:-1] + "!"
    assert api.get(URL, headers=headers).status_code == 401


def test_it_refuses_an_application_key_alone(api, make_key):
    answer = api.get(URL, headers={"DD-APPLICATION-KEY": make_key(READ)})
    assert answer.status_code == 401
    assert "DD-API-KEY" in answer.json()["errors"][0]["detail"]


def test_it_refuses_bearer_and_key_header_together(api, make_key):
    raw = make_key(READ)
    headers = {"DD-API-KEY": raw, "Authorization": f"Bearer {raw}"}
    assert api.get(URL, headers=headers).status_code == 401


def test_it_refuses_a_revoked_key(api):
    key, raw = create_api_key("ci", scopes=[READ], actor=None)
    revoke_api_key(key.pk, actor=None)
    assert api.get(URL, headers={"DD-API-KEY": raw}).status_code == 401


def test_it_refuses_a_key_from_the_moment_it_expires(api, make_key, frozen):
    raw = make_key(READ, expires_at=timezone.now() + timedelta(hours=1))
    frozen.shift(timedelta(minutes=59, seconds=59))
    assert api.get(URL, headers={"DD-API-KEY": raw}).status_code == 200
    frozen.shift(timedelta(seconds=1))
    assert api.get(URL, headers={"DD-API-KEY": raw}).status_code == 401


def test_it_refuses_a_key_without_the_scope(api, make_key):
    answer = api.get(URL, headers={"DD-API-KEY": make_key(Permission.CASES_READ)})
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/vnd.api+json"


@pytest.mark.parametrize(
    "sent",
    ["", " ", "fa_", "fa_" + "x" * 43, "x" * 10_240, "fa_\xff\xfe" + "é" * 41, "fa_\x00", "a b"],
)
@pytest.mark.parametrize("header", ["DD-API-KEY", "Authorization"])
def test_it_refuses_garbage(api, header, sent):
    value = f"Bearer {sent}" if header == "Authorization" else sent
    assert api.get(URL, headers={header: value}).status_code == 401


@pytest.mark.parametrize("scheme", ["Basic", "Token", "DD-API-KEY"])
def test_it_refuses_a_key_under_another_scheme(api, make_key, scheme):
    answer = api.get(URL, headers={"Authorization": f"{scheme} {make_key(READ)}"})
    assert answer.status_code == 401


def test_it_refuses_a_key_in_the_query(api, make_key):
    assert api.get(f"{URL}&api_key={make_key(READ)}").status_code == 401


def test_it_does_not_ask_the_database_about_what_cannot_be_a_key(api, django_assert_num_queries):
    with django_assert_num_queries(0):
        api.get(URL, headers={"DD-API-KEY": "x" * 10_240})


@pytest.mark.parametrize("method", ["put", "patch", "options", "trace"])
def test_it_refuses_a_method_the_view_does_not_have(api, make_key, method):
    answer = getattr(api, method)("/api/things", headers={"DD-API-KEY": make_key(READ, WRITE)})
    assert answer.status_code == 405


def test_it_refuses_a_method_without_a_named_permission(api, make_key):
    raw = make_key(*Permission)
    assert api.delete("/api/things", headers={"DD-API-KEY": raw}).status_code == 405


def test_it_answers_head_to_readers(api, make_key):
    assert api.head(URL, headers={"DD-API-KEY": make_key(READ)}).status_code == 200


def test_it_notes_the_use_of_a_key_once_a_minute(api, frozen):
    key, raw = create_api_key("ci", scopes=[READ], actor=None)
    seen = []
    for seconds in (0, 30, 29, 1):
        frozen.shift(timedelta(seconds=seconds))
        api.get(URL, headers={"DD-API-KEY": raw})
        seen.append(ApiKey.objects.get(pk=key.pk).last_used_at)
    assert seen[0] == seen[1] == seen[2]
    assert seen[3] == seen[0] + timedelta(minutes=1)


def test_it_costs_a_key_two_statements_a_request(api, make_key, django_assert_num_queries):
    headers = {"DD-API-KEY": make_key(READ), "DD-APPLICATION-KEY": make_key(READ)}
    api.get(URL, headers=headers)
    with django_assert_num_queries(2):  # the keys, the count
        api.get(URL, headers=headers)


def test_it_lets_people_read_from_their_pages(as_user, viewer):
    assert as_user(viewer).get(URL).json() == {"data": ["Vera Viewer"]}


def test_it_refuses_a_viewer_who_posts(as_user, viewer):
    answer = as_user(viewer).post("/api/things", THING, "application/json")
    assert answer.status_code == 403


def test_it_lets_an_analyst_post(as_user, analyst):
    answer = as_user(analyst).post("/api/things", THING, "application/json")
    assert answer.status_code == 201


def test_it_wants_the_csrf_token_from_a_session(analyst):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(analyst, backend="django.contrib.auth.backends.ModelBackend")
    answer = browser.post("/api/things", THING, "application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["errors"][0]["detail"]


def test_it_wants_no_csrf_token_from_a_key(make_key):
    machine = Client(enforce_csrf_checks=True)
    headers = {"DD-API-KEY": make_key(WRITE)}
    answer = machine.post("/api/things", THING, "application/json", headers=headers)
    assert answer.status_code == 201


def test_it_forgets_a_person_who_was_deactivated(as_user, analyst):
    browser = as_user(analyst)
    assert browser.get(URL).status_code == 200
    analyst.is_active = False
    analyst.save(update_fields=["is_active"])
    assert browser.get(URL).status_code == 401


def test_it_does_not_fall_back_to_the_session_when_a_key_is_bad(as_user, analyst):
    assert as_user(analyst).get(URL, headers={"DD-API-KEY": "wrong"}).status_code == 401
