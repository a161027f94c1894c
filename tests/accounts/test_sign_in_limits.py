"""When signing in is paused: for a name at an address, for an address, and for a name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client, override_settings

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
OFFICE, ELSEWHERE = "203.0.113.9", "198.51.100.4"


def person(email="maya@example.com", **fields):
    user = UserFactory(email=email, **fields)
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


@pytest.fixture
def maya(db):
    return person()


def sign_in(email="maya@example.com", password=PASSWORD, *, peer=OFFICE, **options) -> int:
    """302: let in, 200: refused, 429: paused."""
    form = {"username": email, "password": password}
    return Client().post("/login", form, REMOTE_ADDR=peer, **options).status_code


def spray(names, *, peer=OFFICE):
    return [sign_in(f"name{number}@example.com", "wrong", peer=peer) for number in range(names)]


def attack(failures, email="maya@example.com"):
    """Five tries from each of many addresses."""
    return [sign_in(email, "wrong", peer=f"192.0.2.{number // 5}") for number in range(failures)]


def test_it_pauses_an_address_that_tries_many_names(maya):
    assert set(spray(19)) == {200}
    assert sign_in("name19@example.com", "wrong") == 429
    assert sign_in() == 429
    assert sign_in(peer=ELSEWHERE) == 302


def test_it_pauses_a_name_that_is_tried_from_many_addresses(maya):
    answers = attack(49)
    assert (answers.count(200), answers.count(429)) == (40, 9)  # the fifth of each address
    assert sign_in(password="wrong") == 429
    assert sign_in(peer=ELSEWHERE) == 429
    assert sign_in("name@example.com", "wrong", peer=ELSEWHERE) == 200


@pytest.mark.parametrize("attacked", [lambda: spray(40), lambda: attack(60)])
def test_it_lets_a_person_in_where_they_have_signed_in_before(maya, frozen, attacked):
    assert sign_in() == 302
    frozen.shift(timedelta(days=89))
    attacked()
    assert [sign_in(password="wrong"), sign_in()] == [200, 302]
    assert [sign_in(password="wrong") for _ in range(5)][-1] == 429


def test_it_forgets_a_place_after_a_quarter_of_a_year(maya, frozen):
    sign_in()
    frozen.shift(timedelta(days=91))
    spray(20)
    assert sign_in() == 429


def test_it_gives_no_tries_at_others_for_ones_own_sign_in(maya):
    person("insider@example.com")
    spray(19)
    assert sign_in("insider@example.com") == 302
    assert sign_in("name19@example.com", "wrong") == 429


def test_it_says_when_enough_of_the_failures_will_be_old(maya, frozen):
    spray(18)
    frozen.shift(timedelta(minutes=4))
    sign_in("name18@example.com", "wrong")
    sign_in("name19@example.com", "wrong")
    form = {"username": maya.email, "password": PASSWORD}
    answer = Client().post("/login", form, REMOTE_ADDR=OFFICE)
    assert (answer.status_code, answer["Retry-After"]) == (429, "660")
    assert "11 minutes" in answer.text
    frozen.shift(timedelta(seconds=659))
    assert sign_in() == 429
    frozen.shift(timedelta(seconds=1))
    assert sign_in() == 302


def test_it_counts_all_addresses_of_one_machine_as_one(maya):
    answers = [sign_in(password="wrong", peer=f"2001:db8::{number:x}") for number in range(1, 6)]
    assert answers == [200, 200, 200, 200, 429]
    assert sign_in(peer="2001:db8:0:1::1") == 302


@pytest.mark.parametrize(
    ("proxies", "forwarded"),
    [(0, "198.51.100.{}"), (1, "198.51.100.{}, 203.0.113.9"), (2, "10.0.0.{}, 203.0.113.9, ::1")],
)
def test_it_is_not_escaped_by_invented_addresses(maya, proxies, forwarded):
    with override_settings(PROXY_COUNT=proxies):
        answers = [
            sign_in(password="wrong", headers={"X-Forwarded-For": forwarded.format(number)})
            for number in range(5)
        ]
    assert answers == [200, 200, 200, 200, 429]


class CountingHasher(MD5PasswordHasher):
    algorithm = "counting"
    hashed = 0

    def encode(self, password, salt):
        type(self).hashed += 1
        return super().encode(password, salt)


@pytest.mark.parametrize("email", ["maya@example.com", "nobody@example.com", "gone@example.com"])
@override_settings(PASSWORD_HASHERS=[f"{__name__}.CountingHasher"])
def test_it_works_as_hard_for_names_that_do_not_exist(email):
    """Or the time of an answer would say who has an account."""
    person()
    person("gone@example.com", is_active=False)
    CountingHasher.hashed = 0
    assert sign_in(email, "wrong") == 200
    assert CountingHasher.hashed == 1
