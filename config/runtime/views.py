"""For machines: load balancers, orchestrators, alarms."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

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
from config.lib.client_address import client_address
from config.lib.links import is_this_computer
from config.lib.request_handling import Handling, Lane, handle
from config.runtime import health, metrics
from config.runtime.freshness import Fresh

READINESS = Fresh(health.examine)
METRICS = Fresh(metrics.exposition)


@handle(lane=Lane.LIGHT)
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether this process answers: it asks nothing else, so a restart helps when it fails."""
    return JsonResponse({"status": "ok"})


@handle(lane=Lane.STATUS)
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether findings sent now become tickets soon.

    Where only a Jira does not let us in it says so and is 200 still: no balancer shall take this
    site away because another one is down.
    """
    parts = READINESS()
    if all(part["ok"] for part in parts.values()):
        status, code = "ok", HTTPStatus.OK
    elif health.is_degraded(parts):
        status, code = "degraded", HTTPStatus.OK
    else:
        status, code = "failing", HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse({"status": status, "parts": parts}, status=code)


_FORWARDING = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


class FromThisMachine(BasePermission):
    """Whether the request came from here, and not through a proxy that is here too.

    Of a proxy on this machine that adds no header nothing tells. So where others open the site
    (BASE_URL is not this computer's), there is no other way in than a key.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if settings.PROXY_COUNT or any(name in request.headers for name in _FORWARDING):
            return False
        if not is_this_computer(urlsplit(settings.BASE_URL).hostname or ""):
            return False
        return ipaddress.ip_address(client_address(request)).is_loopback


class MetricsView(APIView):
    """For Prometheus: from this machine, or with a key that may read findings."""

    schema = None
    handling = Handling(Lane.STATUS)
    permission_classes = [FromThisMachine | HasPermission]
    required_permissions = {"GET": Permission.FINDINGS_READ}

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(METRICS(), content_type=CONTENT_TYPE_LATEST)
