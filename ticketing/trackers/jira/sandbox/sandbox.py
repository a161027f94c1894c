"""One sandbox Jira: start it, break it, look inside it."""

from __future__ import annotations

import ipaddress
import threading
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from ticketing.trackers.jira.credentials import Deployment
from ticketing.trackers.jira.sandbox import (
    control,
    defaults,
    pages,
)
from ticketing.trackers.jira.sandbox.access import Access
from ticketing.trackers.jira.sandbox.calls import Answer
from ticketing.trackers.jira.sandbox.dispatch import Dispatcher, Request
from ticketing.trackers.jira.sandbox.levers import Levers
from ticketing.trackers.jira.sandbox.rest import ROUTES
from ticketing.trackers.jira.sandbox.server import Server
from ticketing.trackers.jira.sandbox.site import Site

EMAIL = defaults.BOT.email
TOKEN = "sandbox-token"  # noqa: S105  opens nothing but the sandbox


class SandboxJira(Levers):
    """`with SandboxJira() as jira:` serves at `jira.url` until the end of the block."""

    def __init__(
        self,
        *,
        deployment: Deployment | str = Deployment.CLOUD,
        host: str = "127.0.0.1",
        port: int = 0,
        email: str = EMAIL,
        token: str = TOKEN,
        lag: float = 0,
        rate: float | None = None,
        seed: int = 0,
        data: Path | None = None,
    ) -> None:
        site = Site(deployment=Deployment(deployment), lag=lag)
        super().__init__(site, Access(email=email, token=token), rate=rate, seed=seed, data=data)
        self._address = (host, port)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._dispatcher = Dispatcher(
            site=site,
            access=self.access,
            limit=self.limit,
            routes=ROUTES,
            after_change=self.save,
        )

    def start(self) -> Self:
        """Serve from now on, at this computer's own addresses alone; again at the same port."""
        host = self._address[0]
        if not _is_loopback(host):
            raise ValueError(f"{host} is not a loopback address.")
        self._server = Server(self._address, self)
        self._address = (host, self._server.server_port)
        shown = f"[{host}]" if ":" in host else host
        self.site.url = f"http://{shown}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="sandbox-jira", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self.faults.clear()
        self._server.stop()
        self._thread.join()
        self.webhooks.stop()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self if self._server else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def is_api(self, path: str) -> bool:
        return path.startswith(("/rest/", "/_edge/", "/ex/"))

    def answer(self, request: Request) -> Answer:
        return self._dispatcher.answer(request)

    def answer_page(self, request: Request) -> Answer:
        """Pages and levers, which only somebody at this computer may reach."""
        if not _is_from_here(request):
            return Answer.json({"error": "Open this by its own address."}, 403)
        if request.path.startswith("/sandbox/"):
            answer = control.answer(self, request)
        else:
            answer = pages.answer(self, request)
        if request.method != "GET":
            with self.site.lock:
                self.save()
        return answer


def _is_from_here(request: Request) -> bool:
    """No other site in the same browser may press the buttons, by whatever name it calls us."""
    host = request.headers.get("host", "")
    name = urlsplit(f"//{host}").hostname or ""
    origin = request.headers.get("origin")
    return _is_loopback(name) and origin in (None, f"http://{host}")


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
