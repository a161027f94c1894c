from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from ticketing.trackers.base import Destination, IssueDraft, TrackerError
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.credentials import Credentials, Deployment
from ticketing.trackers.jira.tracker import JiraTracker

TOKEN = "ATATT3xFfGF0/secret+token=AB12"


def credentials(url: str, **more: object) -> Credentials:
    values: dict[str, object] = {
        "deployment": Deployment.CLOUD,
        "site_url": url,
        "api_url": url,
        "email": "bot@example.com",
        "token": TOKEN,
        "may_be_private": True,
    }
    return Credentials(**(values | more))  # type: ignore[arg-type]


@pytest.fixture
def jira(sandbox_jira) -> Iterator[JiraClient]:
    with JiraClient(sandbox_jira.credentials) as client:
        yield client


@pytest.fixture
def data_center(sandbox_data_center) -> Iterator[JiraClient]:
    with JiraClient(sandbox_data_center.credentials) as client:
        yield client


@dataclass
class Wire:
    """A server that answers every connection with these bytes, and keeps what it was sent."""

    url: str
    answer: bytes = b""
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)  # of TLS

    def says(self, status: int, body: bytes, *headers: str) -> None:
        first = (f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close")
        lines = [*first, *headers, "", ""]
        self.answer = "\r\n".join(lines).encode() + body


@pytest.fixture
def wire() -> Iterator[Wire]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                server.requests.append(connection.recv(65536))
                connection.sendall(server.answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield server
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


@pytest.fixture
def on_wire(wire) -> Iterator[JiraClient]:
    with JiraClient(credentials(wire.url)) as client:
        yield client


SEC_TASK = Destination("10000", "SEC", "10001")


def draft(**values: Any) -> IssueDraft:
    given: dict[str, Any] = {"summary": "Leaked key", "description": "A **secret**."}
    return IssueDraft(**{"destination": SEC_TASK, **given, **values})


@pytest.fixture
def tracker(jira) -> JiraTracker:
    return JiraTracker(jira)


@pytest.fixture
def dc_tracker(data_center) -> JiraTracker:
    return JiraTracker(data_center)


def failure(ask: Callable[[], Any]) -> TrackerError:
    with pytest.raises(TrackerError) as caught:
        ask()
    return caught.value
