"""Who the history says made a change: a person by their row, a key by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from config.accounts.api_keys import KeyActor
from config.accounts.models import User


class _Asking:
    """The request as simple-history sees it. A key is nobody there: it has no row to name."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def user(self) -> User | None:
        user = self.actor
        return user if isinstance(user, User) and user.is_authenticated else None

    @property
    def actor(self) -> object:
        return getattr(self._request, "user", None)


class HistoryMiddleware:
    """Takes the place of simple-history's own, which stores only users."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        HistoricalRecords.context.request = _Asking(request)
        try:
            return self.get_response(request)
        finally:
            del HistoricalRecords.context.request


@receiver(pre_create_historical_record)
def name_the_key(sender: object, history_instance: Any, **kwargs: object) -> None:
    actor = getattr(getattr(HistoricalRecords.context, "request", None), "actor", None)
    if isinstance(actor, KeyActor):
        reason = history_instance.history_change_reason
        said = f"API key {actor.name}" + (f": {reason}" if reason else "")
        history_instance.history_change_reason = said[:100]


# Django's own saves the whole row for it, which would be a change of the account in its history.
user_logged_in.disconnect(dispatch_uid="update_last_login")


@receiver(user_logged_in)
def note_login(sender: object, user: User, **kwargs: object) -> None:
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())


def sign(instance: Any, *, actor: User | None, reason: str = "") -> None:
    """Name the actor of the next save or delete of `instance` in its history."""
    instance._history_user = actor  # noqa: SLF001 (simple-history's own names)
    instance._change_reason = reason or None  # noqa: SLF001
