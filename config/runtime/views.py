"""For machines: load balancers, orchestrators, alarms."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from config.accounts.authentication import HasPermission
from config.accounts.roles import Permission
from config.runtime import health, metrics


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


class FromThisMachine(BasePermission):
    """Whether the request came from here and not through a proxy that is here too."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if settings.AXES_IPWARE_PROXY_COUNT or "X-Forwarded-For" in request.headers:
            return False
        return ipaddress.ip_address(request.META["REMOTE_ADDR"]).is_loopback


class MetricsView(APIView):
    """For Prometheus: from this machine, or with a key that may read findings."""

    schema = None
    permission_classes = [FromThisMachine | HasPermission]
    required_permissions = {"GET": Permission.FINDINGS_READ}

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)
