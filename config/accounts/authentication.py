"""Who is asking the API, and what they may do there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.accounts.api_keys import KeyActor, live_keys, note_use
from config.accounts.models import ApiKey, User
from config.accounts.roles import Permission

API_KEY_HEADER = "DD-API-KEY"
APPLICATION_KEY_HEADER = "DD-APPLICATION-KEY"


class ApiKeyAuthentication(BaseAuthentication):
    """`DD-API-KEY`, `DD-API-KEY` with `DD-APPLICATION-KEY`, or `Authorization: Bearer`.

    Every key that is sent must be live. With both headers the application key's scopes
    count, as in the public API, where it is the one that stands for permissions.
    """

    def authenticate(self, request: Request) -> tuple[KeyActor, ApiKey] | None:
        sent = _sent_keys(request)
        if not sent:
            return None
        live = live_keys(sent)
        if len(live) < len(set(sent)):
            raise AuthenticationFailed("The key is unknown, revoked or expired.")
        note_use(live.values())
        key = live[sent[-1]]
        actor = KeyActor(
            id=key.pk, name=key.name, permissions=key.permissions, made_by=key.answerable
        )
        return actor, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _sent_keys(request: Request) -> list[str]:
    """The raw keys of the request; the one whose scopes count comes last."""
    api_key = request.headers.get(API_KEY_HEADER)
    application_key = request.headers.get(APPLICATION_KEY_HEADER)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    if bearer is not None and (api_key or application_key):
        raise AuthenticationFailed(f"Send either Authorization or {API_KEY_HEADER}, not both.")
    if application_key is not None and api_key is None:
        raise AuthenticationFailed(f"{APPLICATION_KEY_HEADER} needs {API_KEY_HEADER} beside it.")
    return [key for key in (bearer, api_key, application_key) if key is not None]


class PageSessionAuthentication(SessionAuthentication):
    """A person's own browser: what our pages fetch. The CSRF token is required."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        found = super().authenticate(request)
        if found is not None and found[0].must_change_password:
            raise PermissionDenied("Change your password first: /account/password.")
        return found


class GuardedView(Protocol):
    required_permissions: Mapping[str, Permission]


class HasPermission(BasePermission):
    """A view names what each of its methods needs; a method it does not name is refused.

    `required_permissions = {"GET": Permission.FINDINGS_READ}`
    """

    def has_permission(self, request: Request, view: GuardedView) -> bool:  # type: ignore[override]
        if not isinstance(request.user, User | KeyActor):
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        needed = view.required_permissions.get(method)
        if needed is None:
            raise MethodNotAllowed(method)
        self.message = f"This needs the permission {needed}."
        key = request.auth
        if isinstance(key, ApiKey) and key.answerable and needed in key.lost:
            self.message = (
                f"The key has the scope {needed}, but {key.answerable.name}, who answers for it, "
                "may no longer do this."
            )
        return request.user.may(needed)
