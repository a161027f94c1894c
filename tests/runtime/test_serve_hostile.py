"""The web server as it is deployed, a process of its own, among clients that mean harm."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.runtime.web.limits import Limits
from tests.machines import Machine, wait_until
from tests.runtime.clients import (
    drip,
    flood,
    megabytes_of,
    megabytes_on_disk,
    request,
    say,
)

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
SHORT = {
    "header_seconds": 1.5,
    "body_seconds": 1.5,
    "answer_seconds": 1.5,
    "idle_seconds": 2,
    "linger_seconds": 1,
}
PATIENCE = 15  # five times what the limits above let anybody take
MB = 1024 * 1024
CHUNKED = "Transfer-Encoding: chunked"
NO_KEY = "Authorization: Bearer fa_" + "x" * 43
NEVER = ()  # closed without an answer


def post(path: str, *headers: str) -> bytes:
    return request(f"POST {path}", *headers)


def length(number: int) -> str:
    return f"Content-Length: {number}"


HOSTILE = {
    "says nothing": ([], NEVER),
    "drips its first line": (drip(b"GET /"), NEVER),
    "drips its headers": (drip(b"GET / HTTP/1.1\r\nX: "), NEVER),
    "drips empty lines": (drip(b"", b"\r\n"), NEVER),
    "drips a form": (drip(post("/login", length(1000))), NEVER),
    "promises more than it sends": ([post("/login", length(1000)), b"x"], NEVER),
    "drips chunks": (drip(post("/login", CHUNKED), b"1\r\nx\r\n"), NEVER),
    "drips the line of a chunk": (drip(post("/login", CHUNKED) + b"1;"), NEVER),
    "ends no chunk": ([post("/login", CHUNKED), b"FF\r\nx"], NEVER),
    "has a header of 1 MB": (flood(b"GET / HTTP/1.1\r\nX: ", b"x" * 65536, times=16), (431,)),
    "has a line of 1 MB": (flood(b"GET /", b"x" * 65536, times=16), (431,)),
    "has a form of 400 MB": ([post("/login", length(400 * MB))], (413,)),
    "has a file of 400 MB for any page": ([post("/nothing", length(400 * MB))], (413,)),
    "sends a form of 1 MB": ([post("/login", length(MB))], (401,)),
    "sends a report without a key": ([post("/api/v1/imports", length(900 * MB))], (401,)),
    "sends a report with a false key": (
        [post("/api/v1/imports", NO_KEY, length(900 * MB))],
        (401,),
    ),
    "uploads without a session": (
        [post("/settings/importers/upload", "Cookie: sessionid=x", length(199 * MB))],
        (401,),
    ),
    "sends a report that is too large": ([post("/api/v1/imports", NO_KEY, length(2**31))], (413,)),
    "asks before it sends": (
        [post("/api/v1/imports", "Expect: 100-continue", length(900 * MB))],
        (401,),
    ),
    "sends chunks for ever": (
        flood(post("/api/v1/imports", CHUNKED), b"10000\r\n" + b"x" * 65536 + b"\r\n", times=9999),
        (401,),
    ),
    "sends tiny chunks for ever": (
        flood(post("/login", CHUNKED), b"1\r\nx\r\n" * 2000, times=999),
        (400,),
    ),
    "ends no line of a chunk": (
        flood(post("/login", CHUNKED), b"1" * 65536, times=999),
        (400,),
    ),
    "ends no trailer": (
        flood(post("/login", CHUNKED) + b"0\r\nX: ", b"x" * 65536, times=999),
        (400,),
    ),
    "has two lengths": ([post("/login", length(1), length(2))], (400,)),
    "has a negative length": ([post("/login", "Content-Length: -1")], (400,)),
    "has no name for a header": ([b"GET / HTTP/1.1\r\n: x\r\n\r\n"], (400,)),
    "speaks something else": ([b"\x16\x03\x01\x02\x00\x01\r\n\r\n"], (400,)),
    "sends a webhook of 1 GB": ([post("/api/v1/jira/webhooks/x", length(1000 * MB))], (413,)),
}


@pytest.fixture(scope="module")
def server(copied_place) -> Iterator[Machine]:
    machine = Machine(copied_place, "serve", "--limits", json.dumps(SHORT))
    wait_until(lambda: machine.get("/healthz")[0] == 200, seconds=60)
    yield machine
    assert machine.stop() == 0


@pytest.fixture(scope="module")
def key(copied_place) -> str:
    return copied_place.run("create_api_key", "ci").stdout.split()[-1]


@pytest.mark.parametrize("what", HOSTILE)
def test_it_ends_a_connection_that(server, what):
    parts, statuses = HOSTILE[what]
    said = say(server.port, parts, patience=PATIENCE)
    assert said.statuses == list(statuses), said
    assert "100 Continue" not in said


@pytest.mark.parametrize(
    ("framing", "piece"),
    [
        ([length(MB)], b"x" * 65536),
        ([length(MB), "Expect: 100-continue"], b"x" * 65536),
        ([CHUNKED], b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    ],
    ids=["with its length", "asking first", "in chunks"],
)
def test_it_receives_a_large_report_of_a_key(server, key, framing, piece):
    head = post("/api/v1/imports", f"Authorization: Bearer {key}", "Connection: close", *framing)
    end = b"0\r\n\r\n" if CHUNKED in framing else b""
    said = say(server.port, [head, *[piece] * 16, end], patience=PATIENCE)
    assert said.statuses[-1] == 422  # read to its end, and no report
    assert "Report refused" in said
    assert ("100 Continue" in said) is ("Expect: 100-continue" in framing)


def test_it_answers_the_others_while_all_of_these_go_on(server):
    before = megabytes_of(server.pid)
    dripping = [post("/login", length(1000)), b"GET /", post("/login", CHUNKED)]
    with ThreadPoolExecutor(24) as pool:
        said = [
            pool.submit(say, server.port, drip(dripping[n % 3]), patience=PATIENCE)
            for n in range(24)
        ]
        while not all(one.done() for one in said):
            began = time.monotonic()
            assert server.get("/healthz")[0] == 200
            assert time.monotonic() - began < 2
            assert megabytes_on_disk(server.pid) < 8
    assert [one.result() for one in said] == [""] * 24
    assert megabytes_of(server.pid) - before < 64


def test_it_answers_so_many_requests_of_one_packet_and_no_more(server):
    said = say(server.port, [request("GET /healthz") * 500], patience=PATIENCE)
    assert set(said.statuses) == {200}
    assert len(said.statuses) < 500
    assert said.statuses == [200] * said.count("ok")


def test_it_keeps_a_connection_for_the_next_request(server):
    def twice() -> Iterator[bytes]:
        yield request("HEAD /healthz")
        time.sleep(0.3)
        yield request("GET /healthz", "Connection: close")

    said = say(server.port, twice(), patience=PATIENCE)
    assert said.statuses == [200, 200]
    assert said.count('{"status": "ok"}') == 1  # HEAD has no body


def test_it_leaves_a_proxy_time_to_use_its_connection_again():
    assert Limits().idle_seconds > 60  # nginx's keepalive_timeout for upstreams
