"""People whose password somebody else has seen change it before they do anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from config.accounts.access import redirect_and_return
from config.accounts.models import User

_OPEN = {"password-change", "logout", "session", "theme", "runtime:healthz", "runtime:readyz"}


class PasswordChangeMiddleware:
    """Leads to the page that changes the password, and back to where one was going.

    The API answers for itself, so that keys are not affected: see PageSessionAuthentication.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in _OPEN or request.path_info.startswith("/api/"):
            return None
        user = request.user
        if isinstance(user, User) and user.must_change_password:
            return redirect_and_return(request, "password-change")
        return None
