"""Signing in, being locked out, signing out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def maya(db):
    user = UserFactory(email="maya@example.com", name="Maya Okafor")
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def sign_in(client, email="maya@example.com", password=PASSWORD, **options):
    return client.post("/login", {"username": email, "password": password}, **options)


def is_signed_in(client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("email", ["maya@example.com", "Maya@Example.COM", " maya@example.com "])
def test_it_signs_in_with_any_spelling_of_the_address(client, maya, email):
    answer = sign_in(client, email)
    assert answer.status_code == 302
    assert is_signed_in(client)


def test_it_signs_in_a_person_stored_with_capitals(client):
    user = UserFactory.build(email="Lena.Brandt@Example.com")
    user.set_password(PASSWORD)
    user.save()
    assert user.email == "lena.brandt@example.com"
    sign_in(client, "LENA.brandt@example.com")
    assert is_signed_in(client)


def test_it_says_the_same_for_a_wrong_password_an_unknown_and_a_deactivated_person(client, maya):
    UserFactory(email="gone@example.com", is_active=False).set_password(PASSWORD)
    pages = [
        sign_in(client, email, "wrong").content.decode()
        for email in ("maya@example.com", "nobody@example.com", "gone@example.com")
    ]
    texts = {page.split("Email or password is wrong.")[1][:20] for page in pages}
    assert len(texts) == 1


def test_it_refuses_a_deactivated_person(client, maya):
    maya.is_active = False
    maya.save(update_fields=["is_active"])
    sign_in(client)
    assert not is_signed_in(client)


def test_it_counts_down_and_locks_at_the_fifth_failure(client, maya):
    left = [sign_in(client, password="wrong").context["attempts_left"] for _ in range(4)]
    assert left == [4, 3, 2, 1]
    answer = sign_in(client, password="wrong")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"


def lock_out(client, **options):
    for _ in range(5):
        sign_in(client, password="wrong", **options)


def test_it_refuses_the_right_password_while_locked(client, maya):
    lock_out(client)
    assert sign_in(client).status_code == 429
    assert not is_signed_in(client)


def test_it_counts_all_spellings_of_an_address_as_one(client, maya):
    spellings = ["maya@example.com", "MAYA@example.com", "Maya@Example.com", "mAya@example.com"]
    for email in spellings:
        sign_in(client, email, "wrong")
    assert sign_in(client, "maYa@example.com", "wrong").status_code == 429


def test_it_says_how_long_to_wait_and_then_lets_in(client, maya, frozen):
    lock_out(client)
    frozen.shift(timedelta(minutes=10))
    answer = sign_in(client)
    assert answer["Retry-After"] == "300"
    assert "5 minutes" in answer.content.decode()
    frozen.shift(timedelta(minutes=5, seconds=1))
    sign_in(client)
    assert is_signed_in(client)


def test_it_locks_the_address_from_there_only(client, maya):
    lock_out(client, REMOTE_ADDR="203.0.113.9")
    assert sign_in(client, REMOTE_ADDR="203.0.113.9").status_code == 429
    sign_in(client, REMOTE_ADDR="198.51.100.4")
    assert is_signed_in(client)


def test_it_locks_no_other_address_from_there(client, maya):
    lock_out(client, email="nobody@example.com")
    sign_in(client)
    assert is_signed_in(client)


def test_it_does_not_believe_a_forwarded_address_without_a_proxy(client, maya):
    for number in range(5):
        sign_in(client, password="wrong", headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert sign_in(client).status_code == 429


def test_it_locks_an_unknown_address_the_same(client):
    lock_out(client, email="nobody@example.com")
    assert sign_in(client, "nobody@example.com").status_code == 429


def test_it_starts_counting_anew_after_a_success(client, maya):
    for _ in range(4):
        sign_in(client, password="wrong")
    sign_in(client)
    client.post("/logout")
    assert sign_in(client, password="wrong").context["attempts_left"] == 4


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_it_never_leads_to_another_site(client, maya, target):
    answer = client.post(f"/login?next={target}", {"username": maya.email, "password": PASSWORD})
    assert answer["Location"] == "/"


def test_it_leads_back_to_the_page_that_asked(client, maya):
    form = {"username": maya.email, "password": PASSWORD, "next": "/cases?status=OPEN"}
    assert client.post("/login", form)["Location"] == "/cases?status=OPEN"


def test_it_sends_a_signed_in_person_on(as_user, maya):
    assert as_user(maya).get("/login")["Location"] == "/"


@pytest.mark.parametrize("email", ["", "\0", "maya\0@example.com", "x" * 10_000, "<script>"])
def test_it_survives_a_hostile_address(client, email):
    answer = sign_in(client, email)
    assert answer.status_code == 200
    assert b"<script>" not in answer.content


def test_it_wants_the_csrf_token(maya):
    answer = sign_in(Client(enforce_csrf_checks=True))
    assert answer.status_code == 403
    assert "Try again" in answer.content.decode()


def test_it_signs_out_by_post_only(as_user, maya):
    browser = as_user(maya)
    assert browser.get("/logout").status_code == 405
    assert browser.post("/logout")["Location"] == "/login"
    assert not is_signed_in(browser)


def test_it_does_not_lock_a_person_whose_session_lives(as_user, maya):
    browser = as_user(maya)
    lock_out(Client())
    assert browser.get("/login").status_code == 302
