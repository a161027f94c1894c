"""The request that is being answered, for what may not be handed it: the audit log, log lines.

Services take no request, and none of them reads this to decide anything. A task of the queue
has no request and so no context.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.http import HttpRequest

from config.lib.client_address import client_address


class RequestContext(NamedTuple):
    request: HttpRequest
    request_id: str
    address: str

    @property
    def actor(self) -> Any:
        """The person or key that asks, as far as that has been found out; None for strangers.

        It asks the database nothing: a line of the log must not cost a query.
        """
        known = vars(self.request)
        user = known.get("user")
        if not isinstance(getattr(type(user), "is_authenticated", None), bool | property):
            user = known.get("_cached_user")  # what the lazy one has loaded, if it has
        return user if getattr(user, "is_authenticated", False) else None


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current_request() -> RequestContext | None:
    return _current.get()


@contextmanager
def answering(request: HttpRequest, *, request_id: str) -> Iterator[None]:
    token = _current.set(RequestContext(request, request_id, client_address(request)))
    try:
        yield
    finally:
        _current.reset(token)
