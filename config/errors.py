"""What is answered when no view answers: pages to people, JSON:API under /api/."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from config.accounts.selectors import admin_names
from config.lib.jsonapi import error_response
from config.lib.statement_timeout import is_timeout, request_timeout

PAGE_SECONDS = 10
API_SECONDS = 30

_MESSAGES = {
    400: "The request could not be understood.",
    403: "You may not do this.",
    404: "There is nothing at this address.",
    500: "Something broke on our side. The error was logged under this id.",
    503: "This takes too long: the database did not answer in time. Narrow your request.",
}


class QueryTimeoutMiddleware:
    """No statement of a request that reads goes on for ever, whichever page asks for it.

    A search that may take long has a shorter time of its own, and says so in its own place.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        in_api = request.path_info.startswith("/api/")
        with request_timeout(API_SECONDS if in_api else PAGE_SECONDS):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return _answer(request, 503) if is_timeout(error) else None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, str(exception), admins=_admins(request))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, "The form was open too long or came from elsewhere. Try again.")


def _admins(request: HttpRequest) -> list[str]:
    """Whom a person may ask. Strangers are told nobody's name, and scripts read no page."""
    in_api = request.path_info.startswith("/api/")
    return [] if in_api or not request.user.is_authenticated else admin_names()


def _answer(request: HttpRequest, status: int, detail: str = "", **more: object) -> HttpResponse:
    detail = detail or _MESSAGES[status]
    request_id: str = getattr(request, "id", "")
    if request.path_info.startswith("/api/"):
        return error_response(status, detail, request_id=request_id if status == 500 else "")
    context = {"detail": detail, "request_id": request_id, **more}
    return render(request, f"errors/{status}.html", context, status=status)
