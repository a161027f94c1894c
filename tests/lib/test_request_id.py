from __future__ import annotations

import re

import pytest
from structlog.testing import capture_logs

from config.lib.request_id import HEADER


def test_it_gives_every_answer_an_id(client):
    first, second = (client.get("/healthz").headers[HEADER] for _ in range(2))
    assert re.fullmatch(r"[0-9a-f]{32}", first)
    assert first != second


def test_it_keeps_the_id_that_a_proxy_gave(client):
    answer = client.get("/healthz", headers={HEADER: "proxy-0001"})
    assert answer.headers[HEADER] == "proxy-0001"


@pytest.mark.parametrize("sent", ["short", "x" * 65, "two words", 'quoted"one', "a{b}cdefghi"])
def test_it_replaces_an_id_of_another_shape(client, sent):
    assert client.get("/healthz", headers={HEADER: sent}).headers[HEADER] != sent


def test_it_logs_each_request_without_its_query_string(client):
    with capture_logs() as lines:
        client.get("/healthz?token=hidden")
    (line,) = lines
    assert line["milliseconds"] >= 0
    del line["milliseconds"]
    assert line == {
        "event": "Answered a request",
        "log_level": "debug",
        "method": "GET",
        "path": "/healthz",
        "status": 200,
    }
