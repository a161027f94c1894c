"""How much a key may ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from config.accounts.api_keys import KeyActor, create_api_key
from config.accounts.models import KeyWindow
from config.accounts.roles import Permission
from config.accounts.throttling import ApiKeyThrottle

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.views")]
URL = "/api/things?name=x"


@pytest.fixture
def three_a_minute(monkeypatch):
    monkeypatch.setattr(ApiKeyThrottle, "THROTTLE_RATES", {"api_key": "3/min"})


@pytest.fixture
def ask(api, make_key):
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_READ)}
    return lambda **extra: api.get(URL, headers=headers, **extra)


def test_it_says_where_the_key_stands(ask, three_a_minute, frozen):
    frozen.shift(timedelta(seconds=10))
    answer = ask()
    assert {name: value for name, value in answer.items() if name.startswith("X-RateLimit")} == {
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "2",
        "X-RateLimit-Reset": "50",
        "X-RateLimit-Period": "60",
        "X-RateLimit-Name": "api_key",
    }


def test_it_refuses_what_is_over_the_limit(ask, three_a_minute, frozen):
    assert [ask().status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    answer = ask()
    assert answer["Retry-After"] == "60"
    assert answer["X-RateLimit-Remaining"] == "0"
    assert answer.json()["errors"][0]["title"] == "Too Many Requests"


def test_it_starts_again_in_the_next_window(ask, three_a_minute, frozen):
    for _ in range(4):
        ask()
    frozen.shift(timedelta(seconds=59))
    assert ask().status_code == 429
    frozen.shift(timedelta(seconds=1))
    assert ask()["X-RateLimit-Remaining"] == "2"


def test_it_counts_each_key_by_itself(api, make_key, three_a_minute, frozen):
    keys = [make_key(Permission.FINDINGS_READ) for _ in range(2)]
    left = [api.get(URL, headers={"DD-API-KEY": raw})["X-RateLimit-Remaining"] for raw in keys]
    assert left == ["2", "2"]


def test_it_counts_bad_requests_too(ask, three_a_minute, api, make_key, frozen):
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_READ)}
    answers = [api.get("/api/things", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert answers[0]["X-RateLimit-Remaining"] == "2"


def test_it_does_not_count_people(as_user, viewer, three_a_minute):
    browser = as_user(viewer)
    answers = [browser.get(URL) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert not KeyWindow.objects.exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="threads share a database in memory")
@pytest.mark.django_db(transaction=True)
def test_it_counts_every_request_of_many_at_once(frozen):
    key, _ = create_api_key("ci", scopes=[Permission.FINDINGS_READ], actor=None)
    actor = KeyActor(id=key.pk, name=key.name, permissions=key.permissions)

    def count(_: int) -> int:
        try:
            return ApiKeyThrottle()._count(actor, 1)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(count, range(40)))
    assert sorted(seen) == list(range(1, 41))
