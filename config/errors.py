"""What is answered when no view answers: pages to people, JSON:API under /api/."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.accounts.selectors import admin_names
from config.lib.jsonapi import error_response

_SAID = {
    400: "The request could not be understood.",
    403: "You may not do this.",
    404: "There is nothing at this address.",
    500: "Something broke on our side. The error was logged under this id.",
}


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
    detail = detail or _SAID[status]
    request_id: str = getattr(request, "id", "")
    if request.path_info.startswith("/api/"):
        return error_response(status, detail, request_id=request_id if status == 500 else "")
    context = {"detail": detail, "request_id": request_id, **more}
    return render(request, f"errors/{status}.html", context, status=status)
