"""Who may open a page. Views of the API say the same with `required_permissions`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect

from config.accounts.api_keys import KeyActor
from config.accounts.models import User
from config.accounts.roles import Permission, lowest_role_with

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
Actor = User | KeyActor | None
"""Who does something: a person, a machine by its key, or (None) the system."""


def require(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Open the view to people whose role has `permission`.

    Others get the 403 page, which names the role they lack; strangers go to the login page
    and come back after it.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            user = request.user
            if not isinstance(user, User) or not user.is_authenticated:
                return redirect_and_return(request, settings.LOGIN_URL)
            if not user.may(permission):
                role = lowest_role_with(permission)
                raise PermissionDenied(f"You need the {role.label} role to do this.")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def signed_in(request: HttpRequest) -> User:
    """The person behind a request that `require` has let in."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in to do this.")
    return request.user


def redirect_and_return(request: HttpRequest, name: str) -> HttpResponse:
    """To that page, and back from it to where the person was (never to a POST address)."""
    htmx = getattr(request, "htmx", None)
    if htmx:
        back = htmx.current_url_abs_path
    else:
        back = request.get_full_path() if request.method in ("GET", "HEAD") else None
    url = resolve_url(name)
    if back:
        url = f"{url}?{urlencode({'next': back})}"
    return HttpResponseClientRedirect(url) if htmx else redirect(url)


def person(actor: object) -> User | None:
    """The person among those who may act; None for a key, which has no row of its own."""
    return actor if isinstance(actor, User) else None


def key_name(actor: object) -> str:
    """The name of the key that acts; empty for people and the system."""
    return actor.name if isinstance(actor, KeyActor) else ""


def key_id(actor: object) -> UUID | None:
    return actor.id if isinstance(actor, KeyActor) else None


def key_maker(actor: object) -> User | None:
    """Who answers for the key that acts; None for people and the system."""
    return None if isinstance(actor, User) else answerable(actor)


def answerable(actor: object) -> User | None:
    """Who answers for what is done: the person, or the one who made the key that asks.

    None for a key that the command line made.
    """
    return actor.made_by if isinstance(actor, KeyActor) else person(actor)
