"""`POST /api/v1/jira/webhooks/<account>`: what Jira calls when something happens there."""

from __future__ import annotations

import hashlib
from typing import Any, Final
from uuid import UUID

import msgspec
from django.core.cache import cache
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import Throttled
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.lib.client_address import client_network
from config.lib.jsonapi import MEDIA_TYPE, ApiError
from config.lib.request_body import read_json_body
from config.lib.request_handling import Handling, Lane
from ticketing.models import JiraAccount
from ticketing.webhooks import is_signed, take_event

MAX_BYTES = 2 * 1024 * 1024  # an issue with all its text fields full is a fraction of that
FAILURES_A_MINUTE = 60  # from one address, with what is being looked at
_HEADER: Final = "header"


class WebhookView(APIView):
    """Jira signs what it sends, and that is all that counts: no key, no session, no cookie."""

    handling = Handling(Lane.INTAKE, MAX_BYTES, is_signed=True)
    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes: list[type[BasePermission]] = []
    throttle_classes = []

    @extend_schema(
        operation_id="jira_webhook",
        summary="Tell of an event in Jira",
        description=(
            "Called by the webhook of a Jira account. The event is only a wake-up: the issue that "
            "it names is read from Jira. The same event again changes nothing."
        ),
        auth=[],
        parameters=[
            OpenApiParameter(
                "X-Hub-Signature",
                str,
                _HEADER,
                required=True,
                description="`sha256=` and the HMAC of the body with the account's secret.",
            ),
            OpenApiParameter(
                "X-Atlassian-Webhook-Identifier",
                str,
                _HEADER,
                description="The same each time an event is sent again.",
            ),
        ],
        request={"application/json": {"type": "object"}},
        responses={
            (202, MEDIA_TYPE): {"type": "object", "properties": {"data": {"type": "object"}}},
        },
    )
    def post(self, request: Request, account_id: UUID) -> Response:
        failures = f"webhook-failures:{client_network(request)}"
        if _count(failures, 1) > FAILURES_A_MINUTE:  # before anything of it is looked at
            raise Throttled(wait=60)
        answer = self._take(request, account_id)
        _count(failures, -1)
        return answer

    def _take(self, request: Request, account_id: UUID) -> Response:
        account = _account(account_id)
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise ApiError(415, detail="Send the body as it is.", header="Content-Encoding")
        body = read_json_body(request, limit=MAX_BYTES)
        if not is_signed(account, body, request.headers.get("X-Hub-Signature", "")):
            raise ApiError(401, detail="The signature does not fit the body.")
        is_new = take_event(account, _identifier(request, body), _event(body))
        return Response({"data": {"is_new": is_new}}, status=202)


def _count(name: str, number: int) -> int:
    cache.add(name, 0, timeout=60)
    try:
        return cache.incr(name, number)
    except ValueError:  # its minute ended just now
        return number


def _account(account_id: UUID) -> JiraAccount:
    account = JiraAccount.objects.filter(pk=account_id, deleted_at=None).first()
    if account is None:
        raise Http404
    return account


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise ApiError(400, title="Not JSON", detail="The body is not JSON.") from None
    if not isinstance(event, dict):
        raise ApiError(400, detail="An event is an object.")
    return event


def _identifier(request: Request, body: bytes) -> str:
    """Some versions of Data Center send none: then the same body is the same event."""
    given: str = request.headers.get("X-Atlassian-Webhook-Identifier", "")
    if given and len(given) <= 255 and given.isprintable():
        return given
    return hashlib.sha256(body).hexdigest()
