"""Refused accesses: a person or a key that asked for what they may not do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from config.accounts.audit.events import Object, record_event
from config.accounts.models import AuditEvent
from config.lib.request_context import current_request

ONCE_IN = timedelta(hours=1)
"""Of one actor at one address of the site: a script that goes on asking must not fill the log."""


class RefusalMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == HTTPStatus.FORBIDDEN:
            _record(request)
        return response


def _record(request: HttpRequest) -> None:
    context = current_request()
    actor = context.actor if context else None
    if actor is None:
        return  # strangers are asked to sign in, and their failures to do so are recorded
    match = request.resolver_match
    name = f"{request.method} {match.route if match else request.path}"[:200]
    since = timezone.now() - ONCE_IN
    known = AuditEvent.objects.filter(
        actor_id=str(actor.id), at__gte=since, category="access", object_name=name
    )
    if not known.exists():
        record_event("access", "refused", on=Object("", name), details={"path": request.path})
