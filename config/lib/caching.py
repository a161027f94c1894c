"""What no browser and no proxy keeps: every page and answer, for they hold findings."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

_KEPT_NOWHERE = "no-store, private"


class NoStoreMiddleware:
    """`Cache-Control: no-store` on what says nothing else of itself. Static files never get here.

    Back and forward ask again, which costs a request and shows what is true by then.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", _KEPT_NOWHERE)
        return response
