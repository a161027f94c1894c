from __future__ import annotations

import resource

from django.http import HttpRequest, HttpResponse

from config.lib.call_stack import CallStackMiddleware

CALLS, DEEPEST = 500, 150


def _nothing() -> None:
    pass


def _deep(depth: int) -> HttpResponse:
    """Some calls from each depth."""
    for _ in range(CALLS):
        _nothing()
    return _deep(depth - 1) if depth else HttpResponse()


def test_it_maps_no_memory_for_each_call() -> None:
    """However deep calls are nested, in a loop they stay in the memory that the request has."""
    middleware = CallStackMiddleware(lambda _request: _deep(DEEPEST))
    middleware(HttpRequest())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    middleware(HttpRequest())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < CALLS
