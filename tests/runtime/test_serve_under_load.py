"""Whether others are answered while some drip, leave exports unread and search at great cost."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from tests.machines import Machine, wait_until
from tests.runtime.clients import drip, megabytes_of, request, say, unread

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.slow,
]
FINDINGS = 2_000  # more in a file than the sockets keep for a client that does not read
SECONDS = 1  # in which /healthz answers, 95 times of 100
SEED = f"""
from django.test import Client
from django.utils import timezone
from config.accounts.models import User
from config.accounts.roles import Role
from findings.formats.normalised import normalise
from findings.imports.intake import receive
text = "Somebody has to update a package that is older than it should be. " * 8
for start in range(0, {FINDINGS}, 1_000):
    receive([normalise(dict(finding_type="library_vulnerability", title=f"F{{n}} {{text}}"[:200],
        severity="high", resource_id=f"r{{n}}", description=text), position=n, at="",
        latest=timezone.now()) for n in range(start, start + 1_000)], source_name="bench")
for number in range(8):
    user = User.objects.create_user(f"u{{number}}@example.com", "x", role=Role.VIEWER)
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    print("COOKIE", "; ".join(f"{{name}}={{one.value}}" for name, one in client.cookies.items()))
"""
SMALL = {"send_buffer": 16 * 1024}
COSTLY = " OR ".join(f"*w{number}*x*" for number in range(4))


@pytest.fixture(scope="module")
def cookies(copied_place) -> list[str]:
    seeded = copied_place.run("shell", "--command", SEED)
    assert seeded.returncode == 0, seeded.stderr
    lines = seeded.stdout.splitlines()
    return [line.removeprefix("COOKIE ") for line in lines if line.startswith("COOKIE ")]


@pytest.fixture
def server(copied_place, cookies) -> Iterator[Machine]:
    limits = SMALL | {"body_seconds": 60, "answer_seconds": 60}  # nobody is dropped meanwhile
    machine = Machine(copied_place, "serve", "--limits", json.dumps(limits))
    wait_until(lambda: machine.get("/healthz")[0] == 200, seconds=60)
    yield machine
    machine.kill()


def seconds_of(machine: Machine, path: str) -> float:
    began = time.monotonic()
    assert machine.get(path)[0] in (200, 401, 503)  # no queue runs, and no key was sent
    return time.monotonic() - began


def search(machine: Machine, cookie: str, ends: threading.Event, statuses: list[int]) -> None:
    address = f"{machine.address}/findings?q={quote(COSTLY)}"
    while not ends.is_set():
        with contextlib.suppress(OSError):
            asked = urllib.request.Request(address, headers={"Cookie": cookie})
            try:
                statuses.append(urllib.request.urlopen(asked, timeout=30).status)
            except HTTPError as refused:
                statuses.append(refused.code)


@contextlib.contextmanager
def in_background(*work) -> Iterator[None]:
    threads = [threading.Thread(target=one[0], args=one[1:], daemon=True) for one in work]
    for thread in threads:
        thread.start()
    yield


def drip_a_form(port: int) -> None:
    # With a cookie, as CSRF protection reads the form only then.
    cookie = f"Cookie: csrftoken={'x' * 32}"
    form = request("POST /login", cookie, "Content-Length: 1000")
    with contextlib.suppress(AssertionError, OSError):
        say(port, drip(form), patience=60)


def test_it_answers_while_8_drip_8_exports_hang_and_8_search(server, cookies):
    ends, statuses = threading.Event(), []
    drips = [(drip_a_form, server.port)] * 8
    searches = [(search, server, cookie, ends, statuses) for cookie in cookies]
    with contextlib.ExitStack() as hanging, in_background(*drips):
        exports = [
            hanging.enter_context(unread(server.port, "/explorer/export", cookie))
            for cookie in cookies
        ]
        started = [export.recv(12) for export in exports]
        with in_background(*searches):
            health = sorted(seconds_of(server, "/healthz") for _ in range(40))
            ready = max(seconds_of(server, "/readyz") for _ in range(3))
            page = seconds_of(server, "/api/v1/validate")
            ends.set()
    assert sorted(set(started)) == [b"HTTP/1.1 200", b"HTTP/1.1 429"]
    assert started.count(b"HTTP/1.1 200") == 6  # exports on their way, of all clients
    assert health[37] < SECONDS
    assert max(ready, page) < 5 * SECONDS
    assert set(statuses) <= {200, 422, 429, 503}
    assert megabytes_of(server.pid) < 500


def test_it_drops_a_file_that_nobody_reads_and_lets_the_next_have_its_place(copied_place, cookies):
    machine = Machine(copied_place, "serve", "--limits", json.dumps(SMALL | {"answer_seconds": 1}))
    wait_until(lambda: machine.get("/healthz")[0] == 200, seconds=60)
    path, cookie = "/explorer/export", cookies[0]
    with unread(machine.port, path, cookie) as one, unread(machine.port, path, cookie) as other:
        assert [one.recv(12), other.recv(12)] == [b"HTTP/1.1 200"] * 2
        machine.wait_for("it took too long to read an answer")

        def is_let_in() -> bool:
            with unread(machine.port, path, cookie) as next_one:
                return next_one.recv(12) == b"HTTP/1.1 200"

        wait_until(is_let_in)
    assert machine.stop() == 0
