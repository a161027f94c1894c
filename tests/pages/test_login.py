"""The page at which people sign in; who gets in is told in tests/accounts."""

from __future__ import annotations

import pytest

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def maya():
    person = UserFactory(email="maya@acme.example", name="Maya Okafor")
    person.set_password("correct horse battery staple")
    person.save()
    return person


def sign_in(client, password, **extra):
    return client.post("/login", {"username": "maya@acme.example", "password": password, **extra})


def test_it_lets_password_managers_do_their_work(client):
    page = client.get("/login").text
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page


def test_it_says_what_is_wrong_and_how_many_attempts_are_left(client, maya):
    page = sign_in(client, "wrong").text
    assert "Email or password is wrong. 4 attempts left." in page
    assert 'aria-invalid="true" aria-describedby="login-error"' in page


def test_it_counts_one_attempt_in_the_singular(client, maya):
    for _ in range(3):
        sign_in(client, "wrong")
    assert "1 attempt left." in sign_in(client, "wrong").text


def test_it_says_for_how_long_it_is_paused(client, maya):
    for _ in range(4):
        sign_in(client, "wrong")
    page = sign_in(client, "wrong")
    assert page.status_code == 429
    assert "Try again in 15 minutes." in page.text


def test_it_keeps_the_email_and_drops_the_password(client, maya):
    page = sign_in(client, "a wrong secret").text
    assert 'value="maya@acme.example"' in page
    assert "a wrong secret" not in page


def test_it_leads_on_to_where_the_person_wanted_to_go(client, maya):
    response = sign_in(client, "correct horse battery staple", next="/styleguide")
    assert response["Location"] == "/styleguide"


def test_it_shows_neither_navigation_nor_scripts_to_strangers(client):
    page = client.get("/login").text
    assert 'class="nav"' not in page
    assert "htmx" not in page
