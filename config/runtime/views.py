"""For machines: load balancers, orchestrators, alarms."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.runtime import health


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether this process answers: it asks nothing else, so a restart helps when it fails."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether findings sent now become tickets soon."""
    parts = health.examine()
    is_ok = all(part["ok"] for part in parts.values())
    return JsonResponse(
        {"status": "ok" if is_ok else "failing", "parts": parts},
        status=HTTPStatus.OK if is_ok else HTTPStatus.SERVICE_UNAVAILABLE,
    )
