from __future__ import annotations

import math
from typing import Any

from axes.helpers import get_failure_limit
from django.contrib.auth import views
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone

from config.accounts.forms import LoginForm
from config.accounts.roles import Role
from config.accounts.sign_in_limits import remaining_tries
from config.lib.request_handling import Handling, Lane


class LoginView(views.LoginView):
    handling = Handling(Lane.SIGN_IN)
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, attempts_left=self._attempts_left())

    def _attempts_left(self) -> int | None:
        """How often this address may still be tried from here; None before a failure."""
        failures = getattr(self.request, "axes_failures_since_start", None)
        return None if failures is None else max(0, get_failure_limit(self.request, {}) - failures)


def admin_login(request: HttpRequest) -> HttpResponse:
    """Where the admin sends who may not enter: there is one login page, the product's."""
    if request.user.is_authenticated:
        raise PermissionDenied(f"You need the {Role.ADMIN.label} role to do this.")
    return redirect_to_login(request.GET.get("next", resolve_url("admin:index")))


def locked(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """The answer to a login after too many failures: 429, with the seconds left to wait."""
    username = (credentials or {}).get("username")
    until = remaining_tries(username, request.axes_ip_address).paused_until  # type: ignore[attr-defined]
    now = timezone.now()
    seconds = max(1, math.ceil(((until or now) - now).total_seconds()))
    context = {"minutes": math.ceil(seconds / 60)}
    page = render(request, "registration/locked.html", context, status=429)
    page["Retry-After"] = str(seconds)
    return page
