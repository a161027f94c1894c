"""Who the history says made a change: a person by their row, a key by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record

from config.accounts.api_keys import KeyActor
from config.accounts.audit.changes import VERBS, name_of, slug
from config.accounts.audit.events import Object, record_event
from config.accounts.models import User
from config.accounts.signing import sign
from config.lib.rows import store

__all__ = ["HistoryMiddleware", "name_the_key", "note_login", "record_changes", "sign"]

_NAMED = 50
_ACTIONS = ("moved",)
"""Reasons that are what was done, in a word."""


class _RequestActor:
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
        HistoricalRecords.context.request = _RequestActor(request)
        try:
            return self.get_response(request)
        finally:
            del HistoricalRecords.context.request


@receiver(pre_create_historical_record)
def name_the_key(sender: object, history_instance: Any, **kwargs: object) -> None:
    actor = getattr(getattr(HistoricalRecords.context, "request", None), "actor", None)
    if isinstance(actor, KeyActor):
        reason = history_instance.history_change_reason
        full_reason = f"API key {actor.name}" + (f": {reason}" if reason else "")
        history_instance.history_change_reason = full_reason[:100]


@receiver(user_logged_in)
def note_login(sender: object, user: User, **kwargs: object) -> None:
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())


def record_changes(
    instances: Sequence[Any],
    *,
    kind: str = "~",
    actor: User | None,
    reason: str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """The history of instances of one model that were written in bulk, in one statement, and
    their one event in the audit log, with `details`: else the names of the first.

    `kind` is simple-history's: "+" created, "~" changed, "-" deleted.
    """
    if not instances:
        return
    model = type(instances[0]).history.model
    rows = [
        model(
            history_date=at,
            history_user=actor,
            history_change_reason=reason or None,
            history_type=kind,
            **{field.attname: getattr(each, field.attname) for field in model.tracked_fields},
        )
        for each in instances
    ]
    for row in rows:
        name_the_key(model, row)
    store(rows)
    names = [name_of(each) for each in instances[:_NAMED]]
    record_event(
        slug(type(instances[0])),
        reason if reason in _ACTIONS else VERBS[kind],
        actor=actor,
        on=Object(str(instances[0].pk), names[0]) if len(instances) == 1 else Object("", ""),
        count=None if len(instances) == 1 else len(instances),
        details=details or {"names": names, "reason": reason},
    )
