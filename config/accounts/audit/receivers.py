"""What Django tells of people: signed in, refused, signed out."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from config.accounts.audit.events import Object, record_event
from config.accounts.models import User

_UNKNOWN = Object("", "An address that has no account")


@receiver(user_logged_in)
def record_sign_in(user: User, **_: object) -> None:
    record_event("signin", "succeeded", actor=user, on=_object(user))


@receiver(user_logged_out)
def record_sign_out(user: User | None, **_: object) -> None:
    if user is not None:
        record_event("signin", "ended", actor=user, on=_object(user))


@receiver(user_login_failed)
def record_failure(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_: object
) -> None:
    if not _is_locked_already(request):
        record_event("signin", "failed", on=_account(credentials.get("username")))


@receiver(user_locked_out)
def record_lockout(
    username: str | None = None, request: HttpRequest | None = None, **_: object
) -> None:
    if not _is_locked_already(request):
        record_event("signin", "locked out", on=_account(username))


def _is_locked_already(request: HttpRequest | None) -> bool:
    """Whether the try was not even looked at: whoever goes on trying must not fill the log."""
    is_locked = getattr(request, "axes_locked_out", False)
    return bool(is_locked) and getattr(request, "axes_failures_since_start", None) is None


def _account(typed: str | None) -> Object:
    """Whose account was tried. What was typed is not kept: it may be a password."""
    person = User.objects.filter(email__iexact=typed or "").first()
    return _object(person) if person else _UNKNOWN


def _object(person: User) -> Object:
    return Object(str(person.pk), person.name)
