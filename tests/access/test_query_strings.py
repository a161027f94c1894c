"""Whatever stands behind the `?` of an address: a page, or a clear refusal; never a crash.

Lists are asked parameter by parameter, everything else with all of them at once.
"""

from __future__ import annotations

import json
import logging
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest

from findings.models import SavedView
from tests.access.table import API, PAGES
from tests.access.test_matrix import ask, part
from tests.access.world import World, address, build
from tests.api.promises import our_document
from tests.factories import FindingFactory

FORM = "application/x-www-form-urlencoded"
HUGE = "9" * 5_000  # more digits than Python reads


def keyset(text: str) -> str:
    """As the address of a page in the middle of a list says where it begins."""
    return urlsafe_b64encode(text.encode()).decode()


PLACES = (
    *("1e400", "Infinity", "NaN", HUGE, "[" * 10_000, json.dumps([[[1]] * 9]), "1.0.6.0.1e400"),
    *("2.0.3.-99999999999999999999.1", "1.1.1.1", "٣.0.6.1.1", "-1.-1.-1.-1.-1", "..."),
)
VALUES = (
    *("", "\0", "a\0b", "²", "٣", "-1", "0", HUGE, "1e400", "Infinity", "0x10", "\ud83d", "'\"<x>"),
    *("0001-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30"),
    *("true", "[]", "{}", "../..", "%", "%zz", "x" * 10_000, "(" * 500, "\u202e\ufeff"),
    *map(keyset, PLACES),
)
FEW = ("\0", HUGE, "0001-01-01T00:00:00+23:59", keyset("[" * 200))
"""For all parameters at once, and for those that read neither a place nor a time."""
SEARCHES = (
    *("-status:closed", "NOT status:closed", "status:open OR", "OR", '"', '"leaked key', "'", "("),
    *(
        "service:x",
        "project_id:959a6f71-bac8-4027-b1d3-2264f569296f",
        "project_id:x",
        "assignee:me",
    ),
    *("status:[open TO closed]", "@x.y:>1e400", "title:" + "*" * 90, "CIDR(key, 0.0.0.0/0)", "-"),
    *(" ".join(f"word{n}" for n in range(many)) for many in (1_000, 10_000)),
    *("NOT " * 500 + "a", "(" * 200 + "a" + ")" * 200, "\0", "key:\0", "a:b:c", "created_at:>now"),
)
NAMES = {
    "findings": "q from to by sort rows cols page severity ticket ticket_of type team rule facets "
    "finding tab case_status status due inbox mute_rule group in in_of in_none in_any open "
    "open_none more",
    "inbox": "q due severity status sort page",
    "cases": "q view project status sort layout page",
    "settings/findings-automation": "q state opened-sections field version",
    "settings/integrations/deliveries": "outcome before",
    "settings/audit": "kind person from to page q before",
    "explorer/suggest": "typed",
    "rules/suggest": "typed query",
    "jump": "q",
    "overview": "range by",
    "bulk": "page",
}
"""The parameters of pages that are lists."""
ALL_NAMES = sorted({name for names in NAMES.values() for name in names.split()} | {"next", "id"})
SEARCHED = ("findings", "cases", "settings/findings-automation", "jump")
STREAMS = ("explorer/export", "overview/<slug:card>.csv", "settings/audit.<slug:ending>")
CLEAR = frozenset({200, 302, 303, 400, 404, 413, 414, 422})
TRICKY = re.compile(r"page|from|to|before|time|number|limit|cursor|discovery|changed")


@pytest.fixture
def world(db) -> Iterator[World]:
    logging.disable(logging.CRITICAL)
    yield build()
    logging.disable(logging.NOTSET)


def query(**said: str) -> str:
    return urlencode(said, errors="surrogatepass")


def addresses(table, world: World, number: int) -> Iterator[tuple[str, str]]:
    for pattern in part((each for each, access in table.items() if "GET" in access), number):
        if pattern not in STREAMS:
            yield pattern, address(pattern, world.ids_of(pattern))


def faults(asker, links: Iterator[str]) -> list[str]:
    found = []
    for link in links:
        status = ask(asker, "GET", link).response.status_code
        if status not in CLEAR and (link.split("?")[0], status) != ("/readyz", 503):
            found.append(f"{status} at {link[:300]}")
    return found


def values_for(name: str) -> tuple[str, ...]:
    return VALUES if TRICKY.search(name) else FEW


def of_pages(pattern: str, path: str) -> Iterator[str]:
    yield from (f"{path}?{query(**dict.fromkeys(ALL_NAMES, value))}" for value in FEW)
    for name in NAMES.get(pattern, "").split():
        yield from (f"{path}?{query(**{name: value})}" for value in values_for(name))
    if pattern in SEARCHED:
        yield from (f"{path}?{query(q=text)}" for text in SEARCHES)


@pytest.mark.parametrize("number", range(4))
def test_pages_take_any_query_string(world, number):
    [admin] = world.named("admin")
    SavedView.objects.create(name="Odd", owner_id=admin.client.session["_auth_user_id"], query="(")
    links = (
        link
        for pattern, path in addresses(PAGES, world, number)
        for link in of_pages(pattern, path)
    )
    found = faults(admin, links)
    assert not found, "\n".join(found)


def documented() -> dict[str, list[str]]:
    """Address → the parameters of its GET that the document names."""
    return {
        path.strip("/"): [
            each["name"] for each in methods["get"].get("parameters", ()) if each["in"] == "query"
        ]
        for path, methods in our_document()["paths"].items()
        if "get" in methods
    }


@pytest.mark.parametrize("number", range(4))
def test_the_api_takes_any_query_string(world, number):
    [key] = world.named("key all")
    named = {_plain(path): names for path, names in documented().items()}

    def links() -> Iterator[str]:
        for pattern, path in addresses(API, world, number):
            names = named.get(_plain(path_of(pattern)), [])
            yield from (f"{path}?{quote(value)}" for value in FEW)
            for name in names:
                yield from (f"{path}?{query(**{name: value})}" for value in values_for(name))
                if name in ("filter", "filter[query]"):
                    yield from (f"{path}?{query(**{name: text})}" for text in SEARCHES)

    found = faults(key, links())
    assert not found, "\n".join(found)


BODIES = {
    "/api/v2/security/findings/search": ("filter", "sort"),
    "/api/v2/cases/aggregate": ("query_filter",),
}


@pytest.mark.parametrize("path", BODIES)
def test_the_api_takes_any_search_in_a_body(world, path):
    [key] = world.named("key all")
    for name in BODIES[path]:
        for text in (*FEW, *SEARCHES):
            said = {"data": {"type": "aggregate", "attributes": {name: text}}}
            status = ask(key, "POST", path, json.dumps(said)).response.status_code
            assert status in CLEAR, (name, text[:80])


def path_of(pattern: str) -> str:
    return pattern.replace("^", "").replace("$", "")


def _plain(path: str) -> str:
    return re.sub(r"\(\?P<\w+>[^)]*\)|<[^>]*>|{[^}]*}", "{}", path)


def test_a_bulk_form_takes_any_number(world):
    [admin] = world.named("admin")
    FindingFactory.create_batch(2)
    for name, values in (("number", VALUES), ("search", FEW), ("run", FEW)):
        for value in values:
            said = {"search": "from=30d", "reason": "OTHER", "days": "0", "save": "yes"}
            body = query(**said | {name: value})
            answer = admin.client.post("/bulk/new/mute", body, content_type=FORM)
            assert answer.status_code in CLEAR, (name, value[:80])
