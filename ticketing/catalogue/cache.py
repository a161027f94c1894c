"""What an account's Jira has to offer: asked of it, and kept for a minute.

A failure is kept, too, for a moment: no page waits for a silent Jira again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from django.core.cache import cache

from config.lib.deadline import PAGE_SECONDS, Deadline
from ticketing.models import JiraAccount
from ticketing.pacing import pace_for
from ticketing.trackers.base import TrackerError
from ticketing.trackers.catalogue import Catalogue
from ticketing.trackers.registry import catalogue_for

SECONDS = 60
SECONDS_OF_A_FAILURE = 5
T = TypeVar("T")


class CatalogueError(Exception):
    """What was asked for cannot be had now; `reason` says why, for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotCached(Exception):
    """What is needed would have to be asked of Jira."""


class _Failure(NamedTuple):
    """What is kept of a call that failed."""

    reason: str


def cached(account: JiraAccount, what: tuple[str, ...], _: Callable[[Catalogue], T], /) -> T:
    """What `fetch` has kept. Raises NotCached, and CatalogueError for a call that failed."""
    found: T | _Failure | None = cache.get(_key(account, what))
    if found is None:
        raise NotCached
    if isinstance(found, _Failure):
        raise CatalogueError(found.reason)
    return found


def fetch(account: JiraAccount, what: tuple[str, ...], call: Callable[[Catalogue], T], /) -> T:
    """What the call gives, under the name `what`. Raises CatalogueError."""
    try:
        return cached(account, what, call)
    except NotCached:
        pass
    try:
        pace, deadline = pace_for(account), Deadline(PAGE_SECONDS)
        with catalogue_for(account, pace=pace, deadline=deadline) as catalogue:
            found = call(catalogue)
    except TrackerError as error:
        cache.set(_key(account, what), _Failure(error.reason), SECONDS_OF_A_FAILURE)
        raise CatalogueError(error.reason) from error
    cache.set(_key(account, what), found, SECONDS)
    return found


def evict(account: JiraAccount, outdated: Iterable[tuple[str, ...]]) -> None:
    cache.delete_many([_key(account, what) for what in outdated])


def _key(account: JiraAccount, what: tuple[str, ...]) -> str:
    """Of the account as it is now: with another address or token, everything is asked anew."""
    who = (str(account.pk), account.api_url, account.email, account.token, account.user_id)
    return f"jira:{account.pk}:{hash(who)}:{hash(what)}"
