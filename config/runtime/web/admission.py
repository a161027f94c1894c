"""Whether somebody may send a large body, decided before it is received.

A view decides again, and about more. This only keeps strangers from filling the disk.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import structlog
from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError, close_old_connections
from django.http import HttpResponse
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.accounts.api_keys import KeyActor
from config.accounts.authentication import ApiKeyAuthentication
from config.accounts.models import User
from config.accounts.roles import Permission
from config.runtime.web.answers import Task
from config.runtime.web.channel import Channel
from config.runtime.web.request_parser import RequestParser

log = structlog.stdlib.get_logger(__name__)
_TRY_AGAIN_AFTER = 30


class Admission:
    """One decision, for the thread of that lane."""

    def __init__(self, channel: Channel, request: RequestParser) -> None:
        self._channel = channel
        self._request = request

    def service(self) -> None:
        close_old_connections()
        try:
            self._decide()
        except DatabaseError:
            log.exception("The database does not answer")
            self._request.refuse(503, "The database does not answer.", retry_after=10)
        close_old_connections()
        self._channel.admit(self._request)

    def cancel(self) -> None:
        self._channel.will_close = True

    def _decide(self) -> None:
        request = self._request
        if not self._channel.server.has_room_for(request):
            detail = "Too many large bodies are being received. Send it again shortly."
            request.refuse(503, detail, retry_after=_TRY_AGAIN_AFTER)
        elif not request.handling.is_signed:
            self._check_sender()

    def _check_sender(self) -> None:
        request = self._request
        environ = Task(self._channel, request).get_environment() | {"wsgi.input": BytesIO()}
        reason = why_not(environ, permission=request.handling.permission)
        if reason is not None:
            request.refuse(*reason)


def why_not(environ: dict[str, Any], *, permission: str) -> tuple[int, str] | None:
    """The status and the sentence that its sender is refused with; None if they may go on."""
    try:
        actor = _sender(environ)
    except AuthenticationFailed as failure:
        return 401, str(failure.detail)
    if actor is None:
        return 401, "Sign in, or send an API key, to send a body of this size."
    if isinstance(actor, User) and actor.must_change_password:
        return 403, "Change your password first: /account/password."
    if permission and not actor.may(Permission(permission)):
        return 403, f"This needs the permission {permission}."
    return None


def _sender(environ: dict[str, Any]) -> User | KeyActor | None:
    request = WSGIRequest(environ)
    found = ApiKeyAuthentication().authenticate(Request(request))
    if found is not None:
        return found[0]
    SessionMiddleware(lambda _: HttpResponse()).process_request(request)
    user = get_user(request)
    return user if isinstance(user, User) else None
