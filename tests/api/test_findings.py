"""GET /api/v1/findings and GET /api/v1/findings/{finding_id}."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.accounts.roles import Permission
from findings.api.documents import FindingDocument
from findings.services import mute
from tests.factories import FindingFactory

URL = "/api/v1/findings"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NOON_MS = 1_795_435_200_000

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(api, make_key):
    """`read("/…", {…})` gets an address with a key that may read findings."""
    headers = {"DD-API-KEY": make_key(Permission.FINDINGS_READ)}
    return lambda url=URL, parameters=None: api.get(url, parameters, headers=headers)


def at(minutes: int, **fields):
    return FindingFactory(first_seen_at=NOON + timedelta(minutes=minutes), **fields)


def ids(answer) -> list[str]:
    return [document["id"] for document in answer.json()["data"]]


def pages(read, parameters, *, meanwhile=lambda: None) -> list[str]:
    """The ids of all pages, following `links.next`; `meanwhile` runs after each page."""
    answer = read(URL, parameters)
    found = ids(answer)
    while address := answer.json()["links"].get("next"):
        meanwhile()
        answer = read(address)
        found += ids(answer)
    return found


def test_it_shows_what_the_schema_says(read):
    FindingFactory(attributes={"package": {"name": "lib"}, "title": 3})
    [document] = msgspec.convert(read().json()["data"], list[FindingDocument])
    assert document.attributes.attributes.custom.title != 3


def test_it_shows_the_public_document(frozen, read, analyst):
    finding = FindingFactory(
        tags=["env:prod"], attributes={"package": {"name": "lib"}, "title": "not this"}
    )
    mute([finding.pk], reason="other", actor=analyst)
    answer = read(f"{URL}/{finding.finding_id}")
    document = answer.json()["data"]
    custom = document["attributes"]["attributes"]["custom"]
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/vnd.api+json")
    assert (document["id"], document["type"]) == (finding.finding_id, "finding")
    assert document["attributes"]["tags"] == ["env:prod"]
    assert document["attributes"]["timestamp"] == NOON_MS
    assert custom["title"] == finding.title
    assert custom["package"] == {"name": "lib"}
    assert (custom["status"], custom["workflow"]["mute"]["is_muted"]) == ("muted", True)
    assert custom["first_seen_at"] == custom["last_seen_at"] == NOON_MS


@pytest.mark.parametrize("finding_id", ["unknown", "a%00b", "a/b", "x" * 401, "%F0%9F%92%A9"])
def test_it_knows_no_such_finding(read, finding_id):
    answer = read(f"{URL}/{finding_id}")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["status"] == "404"


def test_it_lists_what_changed_last_first(read):
    old, new = at(0), at(1)
    assert ids(read()) == [new.finding_id, old.finding_id]
    assert ids(read(URL, {"sort": "@detection_changed_at"})) == [old.finding_id, new.finding_id]
    assert read().json()["meta"] == {"page": {}}


def test_it_lists_what_a_query_finds(read):
    found = FindingFactory(tags=["team:payments"], severity="critical")
    FindingFactory(tags=["team:payments"], severity="low")
    answer = read(URL, {"filter[query]": "team:payments @severity:(critical OR high)"})
    assert ids(answer) == [found.finding_id]


@pytest.mark.parametrize("sort", ["-@detection_changed_at", "@detection_changed_at"])
def test_it_pages_through_everything_once_while_findings_arrive(read, sort):
    there = [at(minute // 3) for minute in range(7)]  # three at a time changed together
    parameters = {"page[limit]": "2", "sort": sort, "filter[query]": "-env:x"}
    found = pages(read, parameters, meanwhile=lambda: at(60))
    expected = [finding.finding_id for finding in there]
    seen = [finding_id for finding_id in found if finding_id in expected]
    assert seen == (expected if sort.startswith("@") else expected[::-1])
    assert len(found) == len(set(found))


def test_it_tells_the_place_of_the_next_page(read):
    FindingFactory.create_batch(3)
    document = read(URL, {"page[limit]": "2"}).json()
    after = document["meta"]["page"]["after"]
    assert len(ids(read(URL, {"page[limit]": "2", "page[cursor]": after}))) == 1
    assert document["links"]["next"].startswith(f"{URL}?page%5Blimit%5D=2&page%5Bcursor%5D=")


def cursor(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page[limit]", "0"),
        ("page[limit]", "151"),
        ("page[limit]", "-1"),
        ("page[limit]", "ten"),
        ("page[limit]", "²"),
        ("page[limit]", "9" * 5000),
        ("sort", "title"),
        ("page[cursor]", "nonsense"),
        ("page[cursor]", "é"),
        ("page[cursor]", cursor("1.2.3")),
        ("page[cursor]", cursor("1.0")),
        ("page[cursor]", cursor(f"1.{2**63}")),
        ("page[cursor]", cursor(f"{10**30}.1")),
        ("filter[query]", "@severity:("),
        ("filter[query]", "a\0b"),
    ],
)
def test_it_refuses_a_bad_parameter_by_name(read, name, value):
    answer = read(URL, {name: value})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["source"]) == (400, {"parameter": name})


def test_it_costs_the_same_statements_for_every_page(read):
    counts = []
    for size in (2, 50):
        FindingFactory.create_batch(size)
        with CaptureQueriesContext(connection) as captured:
            assert read(URL, {"page[limit]": "150"}).status_code == 200
        counts.append(len(captured))
    of_the_timeout = 4 if connection.vendor == "postgresql" else 0  # savepoint, time-out, and back
    assert counts[1] <= counts[0] <= 4 + of_the_timeout


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only there is a time-out")
def test_it_gives_up_a_search_that_takes_too_long(read, monkeypatch):
    monkeypatch.setattr("findings.api.search_params.SECONDS", 0.001)
    FindingFactory.create_batch(200)
    answer = read(URL, {"filter[query]": " ".join(f"@a.b{n}:>1" for n in range(400))})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["source"]) == (503, {"parameter": "filter[query]"})


def test_it_asks_for_a_key_that_may_read(api, make_key):
    finding = FindingFactory()
    sender = {"DD-API-KEY": make_key(Permission.FINDINGS_INTAKE)}
    for url in (URL, f"{URL}/{finding.finding_id}"):
        assert api.get(url).status_code == 401
        assert api.get(url, headers=sender).status_code == 403


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_it_knows_no_other_methods(api, make_key, method):
    headers = {"DD-API-KEY": make_key(*Permission)}
    assert getattr(api, method)(URL, headers=headers).status_code == 405
