"""How pages are compressed, and what is left as it is. What they may weigh: `test_budgets`."""

from __future__ import annotations

import gzip

import pytest

from findings.services import record
from tests.factories import SourceFactory, reported

pytestmark = pytest.mark.django_db
GZIP = {"Accept-Encoding": "br, gzip;q=0.8"}


@pytest.fixture
def content(make_rule):
    """As much as a page shows at once."""
    for number in range(30):
        make_rule(f"Rule {number}", finding_types=["library_vulnerability"])
    what = {"tags": ["team:payments", "env:prod"], "description": "What it is. " * 20}
    record(reported(50, **what), source=SourceFactory())


@pytest.mark.parametrize("address", ["/overview", "/settings/findings-automation", "/findings"])
def test_it_sends_pages_compressed(as_user, analyst, content, address):
    client = as_user(analyst)
    answer = client.get(address, headers=GZIP)

    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert len(answer.content) == int(answer.headers["Content-Length"])
    assert b"</html>" in gzip.decompress(answer.content)
    plain = client.get(address)
    assert b"</html>" in plain.content
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Content-Encoding" not in plain.headers


def test_it_compresses_the_parts_that_htmx_asks_for(as_user, analyst, content):
    answer = as_user(analyst).get("/findings", headers=GZIP | {"HX-Request": "true"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"<html" not in gzip.decompress(answer.content)


def test_it_pads_what_it_compresses(as_user, analyst, content):
    """The length of a page would tell what it holds, byte by byte (BREACH)."""
    client = as_user(analyst)
    has_name = 8  # of the header's flags: the padding is the name of a file
    sent = [client.get("/findings", headers=GZIP).content for _ in range(8)]
    assert all(body[3] & has_name for body in sent)
    assert len({body.index(0, 10) for body in sent}) > 1  # where the name ends


def test_it_leaves_files_and_what_is_small_alone(as_user, analyst, content):
    client = as_user(analyst)
    export = client.get("/explorer/export?format=csv", headers=GZIP)
    assert export.streaming
    assert "Content-Encoding" not in export.headers
    assert int(export.headers["Content-Length"]) == len(b"".join(export.streaming_content))
    assert "Content-Encoding" not in client.get("/healthz", headers=GZIP).headers
