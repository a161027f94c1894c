"""How much one client may have done at once, so that it never has everything to itself.

In this process alone: the threads it protects are this process's, too. See `Lane` for those.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.views import APIView

from config.lib.client_address import client_network
from config.lib.request_handling import Lane, handle

P = ParamSpec("P")
_RETRY_AFTER: Final = 5  # seconds


class TooManyAtOnce(Exception):
    """With what to tell the client."""


class Limiter:
    """At most `each` at once for a client, and `total` for all of them.

    So many of a client as `waiting` wait up to `seconds` for their turn; they hold their threads,
    so `each` and `waiting` together are fewer than those.
    """

    def __init__(
        self, what: str, *, each: int, total: int, waiting: int = 0, seconds: float = 1
    ) -> None:
        self._what, self._each, self._total = what, each, total
        self._most_waiting, self._seconds = waiting, seconds
        self._changed = threading.Condition()
        self._running: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()

    def acquire(self, client: str) -> Callable[[], None]:
        """What gives it back, to be called once or oftener. Raises TooManyAtOnce."""
        with self._changed:
            if not self._has_room(client) and not self._wait(client):
                whose = "of yours " if self._running[client] >= self._each else ""
                raise TooManyAtOnce(
                    f"Too many {self._what} {whose}are running at once. Try again in a moment."
                )
            self._running[client] += 1
        held = [client]

        def release() -> None:
            with self._changed:
                while held:
                    self._running[held.pop()] -= 1
                self._running += Counter()  # forgets clients without any
                self._changed.notify_all()

        return release

    @contextmanager
    def slot(self, client: str) -> Iterator[None]:
        release = self.acquire(client)
        try:
            yield
        finally:
            release()

    def _has_room(self, client: str) -> bool:
        return self._running[client] < self._each and self._running.total() < self._total

    def _wait(self, client: str) -> bool:
        if self._waiting[client] >= self._most_waiting:
            return False
        self._waiting[client] += 1
        try:
            return self._changed.wait_for(lambda: self._has_room(client), self._seconds)
        finally:
            self._waiting[client] -= 1


SEARCHES: Final = Limiter("searches", each=3, total=6, waiting=2)
"""A page asks for its table, then its facets, histogram and counts together."""


def client_of(request: HttpRequest | Request) -> str:
    """The account that asks; of a stranger the address."""
    account = getattr(request.user, "id", None)
    if account is not None:
        return str(account)
    inner = request._request if isinstance(request, Request) else request  # noqa: SLF001
    return client_network(inner)


def limit_searches(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """For a view that may cost seconds of the database."""

    @handle(lane=Lane.SEARCH)
    @wraps(view)
    def limited(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            with SEARCHES.slot(client_of(request)):
                return view(request, *args, **kwargs)
        except TooManyAtOnce as refusal:
            return answer_too_many(request, refusal)

    return limited


class LimitedSearch(APIView):
    """The same for views of the API."""

    limited_methods = frozenset({"GET", "POST"})

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as self._held:
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in self.limited_methods:
            return
        try:
            self._held.enter_context(SEARCHES.slot(client_of(request)))
        except TooManyAtOnce as refusal:
            raise _Throttled(refusal) from None


class _Throttled(Throttled):
    extra_detail_singular = extra_detail_plural = ""  # the header has the seconds

    def __init__(self, refusal: TooManyAtOnce) -> None:
        super().__init__(wait=_RETRY_AFTER, detail=str(refusal))


def answer_too_many(
    request: HttpRequest, refusal: TooManyAtOnce, *, retry_after: int = _RETRY_AFTER
) -> HttpResponse:
    page = render(request, "errors/429.html", {"detail": str(refusal)}, status=429)
    page.headers["Retry-After"] = str(retry_after)
    return page
