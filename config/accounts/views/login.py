from __future__ import annotations

import math
from typing import Any

from axes.helpers import get_cool_off, get_failure_limit
from axes.models import AccessAttempt
from django.contrib.auth import views
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils import timezone

from config.accounts.forms import LoginForm
from config.accounts.roles import Role


class LoginView(views.LoginView):
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
    last = AccessAttempt.objects.filter(
        username=(credentials or {}).get("username"),
        ip_address=request.axes_ip_address,  # type: ignore[attr-defined]
    ).aggregate(at=Max("attempt_time"))["at"]
    waited = timezone.now() - (last or timezone.now())
    seconds = max(1, math.ceil((get_cool_off(request) - waited).total_seconds()))
    context = {"minutes": math.ceil(seconds / 60)}
    page = render(request, "registration/locked.html", context, status=429)
    page["Retry-After"] = str(seconds)
    return page
