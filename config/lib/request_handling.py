"""What a request is worth to the server before any view sees it, said at the view it is for.

A view that does not say anything is answered by the threads for pages and gets a small body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from django.urls import Resolver404, resolve

FREE_BODY: Final = 256 * 1024
"""What a stranger may send; of a longer body the sender is asked for before more of it is kept."""
PAGE_MAX_BODY: Final = 4 * 1024 * 1024
"""Of what has no limit of its own: forms of pages may have 2 MiB, documents of the API less."""
ENVELOPE: Final = 64 * 1024
"""Of a multipart body around its file."""
View = TypeVar("View", bound=Callable[..., Any])


class Lane(StrEnum):
    """Threads of their own, so that requests of one kind keep nobody waiting but their like."""

    LIGHT = "light"  # /healthz, and refusals
    STATUS = "status"
    ADMISSION = "admission"
    SIGN_IN = "sign-in"
    SEARCH = "search"
    EXPORT = "export"
    INTAKE = "intake"  # what machines send
    PAGES = "pages"


class Handling(NamedTuple):
    lane: Lane = Lane.PAGES
    max_body: int = PAGE_MAX_BODY
    permission: str = ""  # what the sender of a body over FREE_BODY needs; empty: an account
    is_signed: bool = False  # the body itself shows who sends it: it is read from anybody


def handle(
    *, lane: Lane = Lane.PAGES, max_body: int = PAGE_MAX_BODY, permission: str = ""
) -> Callable[[View], View]:
    """Decorates a view function. A class has the attribute `handling` instead, for all methods or
    as a mapping for some."""

    def decorate(view: View) -> View:
        vars(view)["handling"] = Handling(lane, max_body, permission)
        return view

    return decorate


@lru_cache(maxsize=1024)
def handling_of(path: str, method: str) -> Handling:
    """Of the view behind that path of a WSGI request; the usual one where there is none."""
    try:
        view = resolve("/" + path.lstrip("/").encode("latin-1").decode(errors="replace")).func
    except Resolver404:
        return Handling()
    view_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
    found = getattr(view, "handling", None) or getattr(view_class, "handling", None)
    if isinstance(found, Mapping):
        found = found.get(method)
    return found if isinstance(found, Handling) else Handling()
