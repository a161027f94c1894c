"""When a session ends: a time that pages can name, which only the person moves."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone


def extend(request: HttpRequest) -> datetime:
    """Let the session run for its full time from now; returns its end.

    An absolute time: else its end would depend on when something in it was saved last.
    """
    request.session.set_expiry(timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    return request.session.get_expiry_date()


@receiver(user_logged_in)
def begin(sender: object, request: HttpRequest, **kwargs: object) -> None:
    extend(request)
