"""Pages open to those whose role has the permission."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.pages")]


def test_it_opens_the_page_to_the_role_that_may(as_user, editor):
    answer = as_user(editor).get("/rules/7")
    assert answer.content == b"rules 7"


def test_it_opens_the_page_to_higher_roles(as_user, admin):
    assert as_user(admin).get("/rules").status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_it_names_the_role_that_is_missing(as_user, analyst, method):
    answer = getattr(as_user(analyst), method)("/rules")
    assert answer.status_code == 403
    assert "You need the Automation editor role to do this." in answer.content.decode()


def test_it_sends_a_stranger_to_the_login_page_and_back(client):
    answer = client.get("/rules?state=broken&q=a b")
    assert answer.status_code == 302
    assert answer["Location"] == "/login?next=%2Frules%3Fstate%3Dbroken%26q%3Da%2520b"


def test_it_does_not_bring_a_stranger_back_to_a_post(client):
    assert client.post("/rules")["Location"] == "/login"


def test_it_sends_an_htmx_request_of_a_stranger_there_as_a_whole_page(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/rules?state=all"}
    answer = client.post("/rules", headers=headers)
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == "/login?next=%2Frules%3Fstate%3Dall"


def test_it_never_returns_to_another_host_that_htmx_names(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/rules"}
    assert client.get("/rules", headers=headers)["HX-Redirect"] == "/login"


def test_it_closes_the_page_at_once_when_the_role_changes(as_user, editor):
    browser = as_user(editor)
    editor.role = "viewer"
    editor.save(update_fields=["role"])
    assert browser.get("/rules").status_code == 403


def test_it_takes_a_deactivated_person_for_a_stranger(as_user, editor):
    browser = as_user(editor)
    editor.is_active = False
    editor.save(update_fields=["is_active"])
    assert browser.get("/rules").status_code == 302
