"""One's own password: the page, who is sent there, and what is refused."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.test import Client

from config.accounts.api_keys import create_api_key
from config.accounts.models import User
from config.accounts.people import create_person, reset_password
from config.accounts.roles import Permission, Role
from config.runtime import prepare

pytestmark = pytest.mark.django_db
PAGE = "/account/password"
OLD, NEW = "correct horse battery", "purple otter drinks tea"


@pytest.fixture
def maya(db):
    maya = create_person(email="maya@example.com", name="Maya", role=Role.ADMIN, password=OLD)
    User.objects.update(must_change_password=False)
    maya.refresh_from_db()
    return maya


def change(browser, current=OLD, new=NEW, repeated=None, **more):
    form = {"current_password": current, "new_password": new, "repeated": repeated or new}
    return browser.post(PAGE, form | more)


def test_it_changes_the_password_and_ends_the_other_sessions(as_user, maya):
    elsewhere = Client()
    elsewhere.force_login(maya, backend="django.contrib.auth.backends.ModelBackend")
    browser = as_user(maya)
    assert f'href="{PAGE}"' in browser.get("/styleguide").text
    answer = change(browser)
    assert answer["Location"] == "/"
    assert "Password changed" in browser.get("/overview").text
    assert elsewhere.get("/session").status_code == 401
    maya.refresh_from_db()
    assert maya.check_password(NEW)
    assert maya.history.first().history_change_reason == "Password changed"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"current": "wrong"}, "This is not your current password."),
        ({"new": OLD}, "Choose a password other than the current one."),
        ({"new": "short"}, "at least 12 characters"),
        ({"new": "Password1234!"}, "lists of leaked passwords"),
        ({"repeated": "purple otter drinks te"}, "The two new passwords differ."),
    ],
)
def test_it_says_what_is_wrong_and_repeats_no_password(as_user, maya, form, sentence):
    answer = change(as_user(maya), **form)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert NEW not in answer.text
    assert "no-store" in answer["Cache-Control"]
    maya.refresh_from_db()
    assert maya.check_password(OLD)


def test_it_pauses_who_guesses_the_current_password(as_user, maya):
    browser = as_user(maya)
    answers = [change(browser, current="wrong").status_code for _ in range(5)]
    assert answers == [422, 422, 422, 422, 429]
    assert change(browser).status_code == 429


def by_command() -> str:
    call_command("create_user", "maya@example.com")
    return "maya@example.com"


def by_reset() -> str:
    maya = create_person(email="maya@example.com", name="M", role=Role.VIEWER, password=OLD)
    User.objects.update(must_change_password=False)
    reset_password(maya, actor=maya)
    return maya.email


def at_first_start() -> str:
    prepare.create_first_admin()
    return prepare.FIRST_ADMIN


@pytest.mark.parametrize("made", [by_command, by_reset, at_first_start])
def test_it_leads_to_the_page_and_back_to_where_one_was_going(client, made, capsys):
    user = User.objects.get(email=made())
    user.set_password(OLD)
    user.save(update_fields=["password"])
    answer = client.post("/login?next=/cases?q=x", {"username": user.email, "password": OLD})
    answer = client.get(answer["Location"])
    assert answer["Location"] == f"{PAGE}?next=%2Fcases%3Fq%3Dx"
    page = client.get(answer["Location"])
    assert "Choose one that only you know" in page.text
    assert change(client, next=page.context["next"])["Location"] == "/cases?q=x"
    assert client.get("/overview").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "location"),
    [
        ("get", "/findings", 302, f"{PAGE}?next=%2Ffindings"),
        ("post", "/cases/new", 302, PAGE),
        ("get", "/admin/", 302, f"{PAGE}?next=%2Fadmin%2F"),
        ("get", "/counts", 302, f"{PAGE}?next=%2Fcounts"),
        ("get", "/styleguide", 302, f"{PAGE}?next=%2Fstyleguide"),
        ("get", "/metrics", 302, f"{PAGE}?next=%2Fmetrics"),
        ("get", "/api/v1/validate", 403, None),
        ("get", "/healthz", 200, None),
        ("get", "/session", 200, None),
        ("post", "/logout", 302, "/login"),
    ],
)
def test_it_opens_nothing_else_until_then(as_user, maya, method, path, status, location):
    User.objects.update(must_change_password=True)
    answer = getattr(as_user(maya), method)(path)
    assert (answer.status_code, answer.headers.get("Location")) == (status, location)


def test_it_does_not_stop_the_keys_that_the_person_made(client, maya):
    _, raw = create_api_key("ci", scopes=[Permission.CASES_READ], actor=maya)
    User.objects.update(must_change_password=True)
    headers = {"Authorization": f"Bearer {raw}"}
    assert client.get("/api/v1/validate", headers=headers).status_code == 200


def test_it_leads_a_fragment_to_the_whole_page(as_user, maya):
    User.objects.update(must_change_password=True)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/cases"}
    answer = as_user(maya).get("/cases", headers=headers)
    assert answer["HX-Redirect"] == f"{PAGE}?next=%2Fcases"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_it_never_leads_to_another_site(as_user, maya, target):
    assert change(as_user(maya), next=target)["Location"] == "/"


def test_it_is_for_people_who_signed_in(client):
    assert client.get(PAGE)["Location"] == f"/login?next={PAGE}"
    assert change(client).status_code == 302


def test_it_takes_the_place_of_the_admins_own_page(as_user, maya):
    browser = as_user(maya)
    assert browser.get("/admin/password_change/")["Location"] == PAGE
    own = f"/admin/accounts/user/{maya.pk}/password/"
    assert browser.post(own, {"password1": NEW, "password2": NEW})["Location"] == PAGE
    maya.refresh_from_db()
    assert maya.check_password(OLD)
