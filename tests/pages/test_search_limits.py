"""What a client that has enough under way is told, at every door that searches."""

from __future__ import annotations

import pytest

from config.accounts.api_keys import create_api_key, live_keys
from config.accounts.roles import Permission
from config.lib import concurrency
from config.lib.request_handling import Lane, handling_of

PAGES = [
    ("get", "/findings"),
    ("get", "/explorer/facets"),
    ("get", "/explorer/facets/team"),
    ("get", "/explorer/histogram"),
    ("get", "/explorer/counts"),
    ("get", "/explorer/suggest"),
    ("get", "/cases/counts"),
    ("get", "/jump"),
    ("post", "/rules/preview"),
    ("post", "/rules/test"),
]
API = [
    ("get", "/api/v1/findings"),
    ("get", "/api/v2/security/findings"),
    ("post", "/api/v2/security/findings/search"),
]


@pytest.fixture
def busy(monkeypatch):
    """`busy(who)` has all under way that one may have, and nobody waits."""
    limiter = concurrency.Limiter("searches", each=3, total=6, waiting=0)
    monkeypatch.setattr(concurrency, "SEARCHES", limiter)
    return lambda who: [limiter.acquire(str(who.pk)) for _ in range(3)]


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_it_tells_a_person_to_come_back(as_user, editor, busy, method, path):
    searches = busy(editor)
    refused = getattr(as_user(editor), method)(path)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many searches of yours are running at once." in refused.content.decode()
    searches[0]()
    assert getattr(as_user(editor), method)(path).status_code != 429
    assert getattr(as_user(editor), method)(path).status_code != 429  # the first gave it back


@pytest.mark.parametrize(("method", "path"), API)
def test_it_tells_a_key_to_come_back(client, db, busy, method, path):
    _, raw = create_api_key("ci", scopes=[Permission.FINDINGS_READ], actor=None)
    headers = {"Authorization": f"Bearer {raw}"}
    searches = busy(live_keys([raw])[raw])
    refused = getattr(client, method)(path, headers=headers)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many searches of yours are running at once." in refused.content.decode()
    searches[0]()
    for _ in range(2):
        assert getattr(client, method)(path, headers=headers).status_code != 429


@pytest.mark.parametrize(
    ("method", "path", "lane"),
    [
        ("GET", "/healthz", Lane.LIGHT),
        ("GET", "//healthz", Lane.LIGHT),
        ("GET", "/readyz", Lane.STATUS),
        ("GET", "/metrics", Lane.STATUS),
        ("POST", "/login", Lane.SIGN_IN),
        ("GET", "/explorer/export", Lane.EXPORT),
        ("POST", "/api/v1/findings", Lane.INTAKE),
        ("POST", "/api/v1/imports", Lane.INTAKE),
        ("POST", "/settings/importers/upload", Lane.INTAKE),
        ("GET", "/overview", Lane.PAGES),
        ("GET", "/nothing\xff", Lane.PAGES),
        *((method.upper(), path, Lane.SEARCH) for method, path in [*PAGES, *API]),
    ],
)
def test_it_answers_each_kind_on_threads_of_its_own(method, path, lane):
    assert handling_of(path, method).lane == lane


def test_it_searches_on_while_others_have_enough(as_user, viewer, analyst, busy):
    busy(analyst)
    assert as_user(viewer).get("/findings").status_code == 200
