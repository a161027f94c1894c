"""A request as it arrives: what it is for is known once its headers are there."""

from __future__ import annotations

from typing import Final

from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver

from config.lib.request_handling import FREE_BODY, Handling, handling_of
from config.runtime.web.answers import Refusal

_MAX_CHUNK_LINE: Final = 1024
_MAX_TRAILER: Final = 8 * 1024
_SMALL_CHUNKS_FROM: Final = 64 * 1024  # bytes received, before the size of chunks matters


class RequestParser(HTTPRequestParser):
    """Refuses a body by its length before any of it is kept.

    A large body waits for its admission, at its first byte or, if it declares no length, where
    it becomes large. The connection is not read meanwhile, and `Expect: 100-continue` gets its
    answer afterwards.
    """

    handling = Handling()
    awaits_admission = False
    wants_continue = False
    reserved = 0  # bytes of a large body that may still come, or wait to be read

    def received(self, data: bytes) -> int:
        had_headers = self.headers_finished
        consumed: int = super().received(data)
        if self.error is None and not self.empty:
            if had_headers:
                self._check_body()
            elif self.headers_finished:
                self._check_headers()
        if self.error is not None:
            self._end_with(self.error)
        return consumed

    def refuse(self, status: int, detail: str, *, retry_after: int | None = None) -> None:
        path = getattr(self, "path", "")
        self._end_with(Refusal(status, detail, path=path, retry_after=retry_after))

    @property
    def largest(self) -> int:
        """What its body may come to."""
        return self.handling.max_body if self.chunked else self.content_length

    def admit(self) -> None:
        self.awaits_admission = False
        self.reserved = self.largest

    def _end_with(self, error: object) -> None:
        if not isinstance(error, Refusal):  # waitress's own
            error = Refusal(error.code, error.body, path=getattr(self, "path", ""))  # type: ignore[attr-defined]
        self.error = error
        self.completed = True
        self.awaits_admission = self.expect_continue = False

    def _check_headers(self) -> None:
        self.handling = handling_of(self.path, self.command)
        self._check_size(self.content_length)
        if self.awaits_admission:
            self.wants_continue, self.expect_continue = self.expect_continue, False

    def _check_body(self) -> None:
        body = self.body_rcv
        if not isinstance(body, ChunkedReceiver):
            return
        size = len(body)
        if len(body.control_line) > _MAX_CHUNK_LINE or len(body.trailer) > _MAX_TRAILER:
            self.refuse(400, "The body is not well-formed: a line between chunks is too long.")
        elif self.body_bytes_received > max(_SMALL_CHUNKS_FROM, 2 * size):
            self.refuse(400, "The chunks of the body are too small.")
        else:
            self._check_size(size)

    def _check_size(self, size: int) -> None:
        limit = self.handling.max_body
        if size > limit:
            self.refuse(413, f"A body sent here may have {limit:,} bytes.")
        elif size > FREE_BODY and not self.reserved and not self.completed:
            self.awaits_admission = True
