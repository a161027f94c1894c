"""Accepts connections, moves their bytes, and ends what takes too long."""

from __future__ import annotations

import contextlib
import logging
import resource
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.servers.basehttp import get_internal_wsgi_application
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from config.lib.request_handling import ENVELOPE, Lane, handling_of
from config.runtime.web.admission import Admission
from config.runtime.web.channel import Channel
from config.runtime.web.dispatcher import LaneDispatcher
from config.runtime.web.limits import Limits
from config.runtime.web.request_parser import RequestParser

log = structlog.stdlib.get_logger(__name__)

_SWEEP_SECONDS: Final = 0.5
_RECEIVED_AT_ONCE: Final = 64 * 1024
_KEPT_IN_MEMORY: Final = 256 * 1024  # of a body or an answer; the rest is in a temporary file
_FILES: Final = 4096  # a connection may have two files beside its socket
_UNLIMITED: Final = 2**62


class Server(TcpWSGIServer):
    """Listens on one address."""

    channel_class = Channel
    is_stopping = False

    def __init__(self, application: Callable[..., Any], limits: Limits, **options: Any) -> None:
        self.limits = limits
        super().__init__(application, **options)

    def maintenance(self, now: float) -> None:
        """Nothing: `WebServer` looks at all connections, and more often."""

    def handle_accept(self) -> None:
        super().handle_accept()
        if len(self.active_channels) > self.limits.connections:
            self._drop_one()

    def set_socket_options(self, conn: socket.socket) -> None:
        super().set_socket_options(conn)
        if self.limits.send_buffer:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.limits.send_buffer)

    def _drop_one(self) -> None:
        """Of whoever has most connections, the one that got its last answer first."""
        channels = list(self.active_channels.values())
        counts = Counter(channel.addr[0] for channel in channels)
        idle = [channel for channel in channels if not channel.is_running] or channels[-1:]
        victim = max(idle, key=lambda channel: (counts[channel.addr[0]], channel.age))
        log.warning("Dropped a connection: there are too many", address=victim.addr[0])
        victim.handle_close()

    def stop_accepting(self) -> None:
        self.is_stopping = True
        wasyncore.dispatcher.close(self)

    def ask_admission(self, channel: Channel, request: RequestParser) -> None:
        self.task_dispatcher.run(Lane.ADMISSION, Admission(channel, request))

    def has_room_for(self, request: RequestParser) -> bool:
        """Whether the body fits beside the large ones of its kind that are on their way."""
        taken = 0
        for channel in list(self.active_channels.values()):
            arriving = [channel.request] if channel.request is not None else []
            for other in [*channel.requests, *arriving]:
                if other.handling.is_signed is request.handling.is_signed:
                    taken += other.reserved
        room = self.limits.large_bodies * settings.IMPORT_MAX_BYTES
        if request.handling.is_signed:
            room = self.limits.signed_bodies
        return bool(taken + request.largest <= room)


class WebServer:
    """`run` returns some seconds after SIGTERM or SIGINT, with all that was at work done."""

    def __init__(self, *, host: str, port: int, limits: Limits) -> None:
        self._limits = limits
        self._sockets: dict[int, Any] = {}
        self._next_sweep = 0.0
        self._stop_requested = False
        self._dispatcher = LaneDispatcher(limits.threads, most_waiting=limits.waiting)
        adjustments = _adjustments(host, port, limits)
        application = get_internal_wsgi_application()
        handling_of("/", "GET")  # loads the addresses before the first request asks for them
        self._servers = [
            Server(
                application,
                limits,
                map=self._sockets,
                dispatcher=self._dispatcher,
                adj=adjustments,
                sockinfo=listen,
            )
            for listen in adjustments.listen
        ]

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        while not self._stop_requested:
            self._turn()
        self._stop()

    def _ask_to_stop(self, *_: object) -> None:
        self._stop_requested = True
        self._servers[0].pull_trigger()

    def _turn(self) -> None:
        wasyncore.poll2(_SWEEP_SECONDS, self._sockets)
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_SECONDS
            self._sweep(now)

    def _channels(self) -> Iterator[Channel]:
        return (each for each in list(self._sockets.values()) if isinstance(each, Channel))

    def _sweep(self, now: float) -> None:
        for channel in self._channels():
            reason = channel.overdue(now)
            if reason:
                message = f"Dropped a connection: it took too long {reason}"
                log.info(message, address=channel.addr[0])
                channel.handle_close()

    def _stop(self) -> None:
        deadline = time.monotonic() + self._limits.stop_seconds
        for server in self._servers:
            server.stop_accepting()
        while time.monotonic() < deadline and self._close_idle():
            self._turn()
        self._dispatcher.shutdown(seconds=max(0.5, deadline - time.monotonic()))
        wasyncore.close_all(self._sockets, ignore_all=True)

    def _close_idle(self) -> bool:
        """Whether others are left."""
        for channel in self._channels():
            if not channel.is_at_work:
                channel.handle_close()
        return any(self._channels())


def serve(*, host: str, port: int, limits: Limits) -> None:
    _allow_many_files()
    # Its depth says nothing: requests of one lane may well wait.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    WebServer(host=host, port=port, limits=limits).run()


def _adjustments(host: str, port: int, limits: Limits) -> Adjustments:
    return Adjustments(
        host=host,
        port=port,
        ident="",
        connection_limit=_UNLIMITED,  # `Server` drops one instead of accepting none
        recv_bytes=_RECEIVED_AT_ONCE,
        inbuf_overflow=_KEPT_IN_MEMORY,
        outbuf_overflow=_KEPT_IN_MEMORY,
        # No thread waits for a client to read: an answer is a page, or a file that is there.
        outbuf_high_watermark=_UNLIMITED,
        max_request_header_size=limits.header_bytes,
        # Each path has its own: this bounds a body with its chunks' lines around it.
        max_request_body_size=2 * (settings.IMPORT_MAX_BYTES + ENVELOPE),
        clear_untrusted_proxy_headers=False,  # read by config.lib.client_address alone
        log_socket_errors=False,
        asyncore_use_poll=True,
    )


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else _FILES
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(_FILES, most)), hard))
