"""When a session ends: a time that pages can name, which only the person moves."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

_SIGNED_IN_AT = "signed_in_at"


def extend(request: HttpRequest) -> datetime:
    """Let the session run for its full time from now; returns its end.

    However often that is done, it ends SESSION_ABSOLUTE_AGE after the sign-in. An absolute
    time: else its end would depend on when something in it was saved last.
    """
    idle_end = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    request.session.set_expiry(min(idle_end, _absolute_end(request)))
    return request.session.get_expiry_date()


def can_be_extended(request: HttpRequest) -> bool:
    """Whether `extend` would still move the end."""
    return request.session.get_expiry_date() < _absolute_end(request)


def _absolute_end(request: HttpRequest) -> datetime:
    signed_in_at = datetime.fromisoformat(request.session[_SIGNED_IN_AT])
    return signed_in_at + timedelta(seconds=settings.SESSION_ABSOLUTE_AGE)


@receiver(user_logged_in)
def begin(sender: object, request: HttpRequest, **kwargs: object) -> None:
    request.session[_SIGNED_IN_AT] = timezone.now().isoformat()
    extend(request)
