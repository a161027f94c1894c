"""One connection: what it may take of time and of the reading thread."""

from __future__ import annotations

import socket
import time
from typing import Any, Final

from waitress.channel import HTTPChannel

from config.runtime.web.answers import RefusalTask, Task
from config.runtime.web.limits import Limits
from config.runtime.web.request_parser import RequestParser

_TURN_BYTES: Final = 1024 * 1024
"""Sent to one client before it is another's turn, however fast it reads."""


class Channel(HTTPChannel):
    parser_class = RequestParser
    task_class = Task
    error_task_class = RefusalTask
    request: RequestParser | None

    def __init__(self, server: Any, sock: socket.socket, addr: Any, adj: Any, map: Any) -> None:
        self._limits: Limits = server.limits
        self._waits_since = time.monotonic()  # the last byte of an answer, or the start
        self._headers_since: float | None = None  # the first byte after that
        self._body_of: RequestParser | None = None
        self._body_since = 0.0
        self._sent = 0
        self._left_of_turn = 0
        self._unread_since: tuple[float, int] | None = None  # and what was sent until then
        self._lingers_until: float | None = None
        self.is_refused = False  # and its body not read
        super().__init__(server, sock, addr, adj, map=map)

    # --- how it stands -----------------------------------------------------------------------

    @property
    def is_last_request(self) -> bool:
        return bool(self.server.is_stopping or len(self.requests) > self._limits.pipelined)

    @property
    def is_at_work(self) -> bool:
        """Whether a request is being answered, or all but its body is here."""
        arriving = self.request is not None and self.request.headers_finished
        return bool(self.requests or self.total_outbufs_len or arriving)

    @property
    def is_running(self) -> bool:
        return bool(self.requests) and not self.total_outbufs_len

    @property
    def age(self) -> float:
        """Seconds since it got anything."""
        return time.monotonic() - self._waits_since

    def overdue(self, now: float) -> str:
        """What it took too long for; empty while it is in time. To be asked regularly."""
        if self._lingers_until is not None:
            return "after a refusal" if now > self._lingers_until else ""
        if self.total_outbufs_len:
            return "to read an answer" if self._reads_too_slowly(now) else ""
        self._unread_since = None
        if self.requests:
            return ""
        return "to send a request" if self._sends_too_slowly(now) else ""

    def _reads_too_slowly(self, now: float) -> bool:
        if self._unread_since is None:
            self._unread_since = (now, self._sent)
        since, sent = self._unread_since
        bonus = (self._sent - sent) / self._limits.answer_rate
        return now - since > self._limits.answer_seconds + bonus

    def _sends_too_slowly(self, now: float) -> bool:
        limits, request = self._limits, self.request
        if request is not None and request.headers_finished:
            bonus = request.body_bytes_received / limits.body_rate
            allowed = min(limits.body_seconds + bonus, limits.body_most_seconds)
            return bool(now - self._body_since > allowed)
        if self._headers_since is not None:  # empty lines may be all that came
            return now - self._headers_since > limits.header_seconds
        is_idle = request is None and self._sent > 0
        return now - self._waits_since > (limits.idle_seconds if is_idle else limits.header_seconds)

    # --- reading -----------------------------------------------------------------------------

    def readable(self) -> bool:
        if self._lingers_until is not None:
            return True
        waits = self.request is not None and self.request.awaits_admission
        return bool(super().readable()) and not waits

    def handle_read(self) -> None:
        if self._lingers_until is None:
            super().handle_read()
        else:
            self.recv(self.adj.recv_bytes)  # of no interest; closes at the end of the stream

    def received(self, data: bytes) -> bool:
        if self._headers_since is None:
            self._headers_since = time.monotonic()
        taken = bool(super().received(data))
        request = self.request
        if request is not None and request.headers_finished and request is not self._body_of:
            self._body_of, self._body_since = request, time.monotonic()
        if request is not None and request.awaits_admission:  # and so is not read on meanwhile
            self.server.ask_admission(self, request)
        return taken

    def admit(self, request: RequestParser) -> None:
        """Go on after an admission: with the body, or with the answer if it was refused."""
        with self.requests_lock:
            if self.request is not request or not self.connected:
                return
            self._body_since = time.monotonic()
            if request.error is not None:
                self.request = None
                self.requests.append(request)
                self.server.add_task(self)
            else:
                request.admit()
                if request.wants_continue:
                    self.send_continue()
        self.server.pull_trigger()

    # --- writing -----------------------------------------------------------------------------

    def handle_write(self) -> None:
        """As waitress does, but a refused client is not cut off while it sends: that would
        destroy the answer on its way."""
        if self.is_refused and self.close_when_flushed and not self.will_close:
            self._flush_exception(self._flush_some)
            if self.connected and not self.total_outbufs_len and not self.will_close:
                self._linger()
            if not self.will_close:
                return
        super().handle_write()

    def _linger(self) -> None:
        self.close_when_flushed = False
        self._lingers_until = time.monotonic() + self._limits.linger_seconds
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # it has gone
            self.will_close = True

    def _flush_some(self, do_close: bool = True) -> bool:  # noqa: FBT001, FBT002  waitress's own
        self._left_of_turn = _TURN_BYTES
        return bool(super()._flush_some(do_close=do_close))

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002
        if self._left_of_turn <= 0:
            return 0
        sent: int = super().send(data, do_close=do_close)
        self._left_of_turn -= sent
        if sent:
            self._sent += sent
            self._waits_since, self._headers_since = time.monotonic(), None
        return sent
