"""Every request gets an id: it is in the answer's header, in every log line and on error pages."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from config.lib.request_context import answering

log = structlog.stdlib.get_logger(__name__)

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ASKED_BY_MACHINES = ("/static/", "/healthz", "/readyz", "/metrics")


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get(HEADER, "")
        request_id = sent if _ACCEPTED.fullmatch(sent) else uuid.uuid4().hex
        request.id = request_id  # type: ignore[attr-defined]
        started = time.monotonic()
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            answering(request, request_id=request_id),
        ):
            response = self.get_response(request)
            log.log(
                logging.DEBUG if request.path.startswith(_ASKED_BY_MACHINES) else logging.INFO,
                "Answered a request",
                method=request.method,
                path=request.path,  # without the query string, which people paste things into
                status=response.status_code,
                milliseconds=round((time.monotonic() - started) * 1000, 1),
            )
        response.headers[HEADER] = request_id
        return response
