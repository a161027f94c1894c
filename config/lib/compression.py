"""Pages and answers, compressed on their way."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

_MIN_BYTES: Final = 1_000  # less fits into one packet anyhow


class PageCompressionMiddleware(GZipMiddleware):
    """Django's gzip, whose random padding is against BREACH, for what is whole in memory.

    A file is left as it is: an export says how long it is, so that a browser can show how far
    it has come, and no thread of the application has to send it.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if isinstance(response, HttpResponse) and len(response.content) >= _MIN_BYTES:
            return super().process_response(request, response)
        return response
