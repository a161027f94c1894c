"""The HTTP server: sockets, keep-alive, and the faults that need a real connection."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import urlsplit

from ticketing.trackers.jira.sandbox.calls import Answer
from ticketing.trackers.jira.sandbox.dispatch import Request
from ticketing.trackers.jira.sandbox.exchanges import Exchange, ExchangeLog
from ticketing.trackers.jira.sandbox.faults import Effect, FaultRule, Faults, Stage
from ticketing.trackers.jira.sandbox.site import Site


class Host(Protocol):
    """What the server serves."""

    site: Site
    faults: Faults
    log: ExchangeLog

    def is_api(self, path: str) -> bool: ...

    def answer(self, request: Request) -> Answer: ...

    def answer_page(self, request: Request) -> Answer: ...


_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
_BUG = Answer.json({"errorMessages": ["Internal server error"], "errors": {}}, 500)
_BODY_LIMIT = 10 * 1024 * 1024


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Host) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Without the look-up of a name that HTTPServer makes, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name = str(self.server_address[0])
        self.server_port = self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; anything else is a bug to be seen."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        stopped = threading.Event()
        waker = threading.Thread(target=self._wake, args=(stopped,), daemon=True)
        waker.start()
        self.shutdown()
        stopped.set()
        waker.join()
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def _wake(self, stopped: threading.Event) -> None:
        """A shutdown is noticed at the next connection, or after half a second: make one."""
        while not stopped.wait(0.002):
            with contextlib.suppress(OSError):
                socket.create_connection((self.server_name, self.server_port), 1).close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def log_message(self, *_: Any) -> None:
        """The sandbox keeps its own log."""

    def _handle(self) -> None:
        request = self._read()
        sandbox = self.server.sandbox
        started = time.monotonic()
        exchange = Exchange(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body=request.body,
            at=sandbox.site.clock(),
        )
        if not sandbox.is_api(request.path):
            self._send(sandbox.answer_page(request))
            return
        sandbox.log.add(exchange)
        rule = sandbox.faults.take(request.method, request.path)
        exchange.fault = rule.effect.value if rule else ""
        try:
            self._answer(request, rule, exchange)
        except OSError:
            raise  # the caller has gone
        except Exception:
            exchange.status = 500
            self._send(_BUG)
            raise
        finally:
            exchange.elapsed = time.monotonic() - started

    def _read(self) -> Request:
        parts = urlsplit(self.path)
        length = min(int(self.headers.get("Content-Length") or 0), _BODY_LIMIT)
        return Request(
            method=self.command,
            path=parts.path,
            query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )

    def _answer(self, request: Request, rule: FaultRule | None, exchange: Exchange) -> None:
        if rule is None:
            answer = self.server.sandbox.answer(request)
            exchange.status = answer.status
            self._send(answer)
            return
        if rule.effect is Effect.SLOW and rule.stage is Stage.BEFORE:
            rule.hold()
        answer = rule.answer
        if rule.stage is Stage.AFTER or rule.effect is Effect.SLOW:
            own = self.server.sandbox.answer(request)
            answer = own if rule.effect in {Effect.TRUNCATE, Effect.SLOW} else answer
        if rule.effect in {Effect.RESET, Effect.HANG}:
            self._fail(rule)
            return
        if rule.effect is Effect.SLOW and rule.stage is Stage.AFTER:
            rule.hold()
        exchange.status = answer.status
        self._send(answer, truncated=rule.effect is Effect.TRUNCATE)

    def _fail(self, rule: FaultRule) -> None:
        self.close_connection = True
        if rule.effect is Effect.HANG:
            rule.hold()
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        socket.socket(fileno=self.connection.detach()).close()

    def _send(self, answer: Answer, *, truncated: bool = False) -> None:
        """Headers and body in one write: two would wait for each other's acknowledgement."""
        reason = HTTPStatus(answer.status).phrase
        has_body = answer.status not in {204, 304}
        date = self.date_time_string(self.server.sandbox.site.clock().timestamp())
        headers = {"Server": "Sandbox Jira", "Date": date, **answer.headers}
        if has_body:
            headers["Content-Type"] = answer.content_type
            headers["Content-Length"] = str(len(answer.body))
        body = answer.body if has_body else b""
        if truncated:
            body = body[: len(body) // 2]
            self.close_connection = True
        lines = [f"HTTP/1.1 {answer.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
