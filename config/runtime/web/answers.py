"""What is answered on a connection: by the application, or by the server itself."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from waitress.task import ErrorTask, WSGITask

from config.lib.jsonapi import MEDIA_TYPE, error

log = structlog.stdlib.get_logger(__name__)


class Refusal:
    """The server's own answer, after which the connection ends."""

    def __init__(
        self, status: int, detail: str, *, path: str = "", retry_after: int | None = None
    ) -> None:
        self.status = HTTPStatus(status)
        self.detail = detail
        self.path = path
        self.retry_after = retry_after

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status line, headers and body, as waitress asks for them."""
        content_type, body = "text/plain; charset=utf-8", f"{self.detail}\n"
        if self.path.startswith("/api/"):
            content_type = MEDIA_TYPE
            body = json.dumps({"errors": [error(self.status, self.detail)]})
        headers = [
            ("Content-Type", content_type),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ]
        if self.retry_after is not None:
            headers.append(("Retry-After", str(self.retry_after)))
        return f"{self.status.value} {self.status.phrase}", headers, body.encode()


class RefusalTask(ErrorTask):
    def execute(self) -> None:
        self.channel.is_refused = True
        refusal: Refusal = self.request.error
        log.info(
            "Refused a request",
            status=refusal.status.value,
            reason=refusal.detail,
            path=refusal.path,
            address=self.channel.addr[0],
        )
        super().execute()


class Task(WSGITask):
    """A request on its way through Django."""

    def start(self) -> None:
        super().start()
        if self.channel.is_last_request:
            self.set_close_on_finish()

    @property
    def _is_head(self) -> bool:
        return bool(self.request.command.upper() == "HEAD")

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        if self._is_head:
            environ.pop("wsgi.file_wrapper", None)  # its file would be sent past `write`
        return environ

    def write(self, data: bytes) -> None:
        """The answer to HEAD has the headers of its body alone, which neither waitress nor
        Django sees to."""
        super().write(b"" if self._is_head else data)

    def finish(self) -> None:
        if self._is_head and self.wrote_header:
            self.chunked_response = False
        super().finish()
