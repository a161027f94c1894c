"""One table for all that a request asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

from findings.columnar import current as process
from findings.columnar.table import Table


class _Pinned(local):
    table: Table | None = None
    is_pinned = False


_pinned = _Pinned()


@contextmanager
def pinned(*, for_words: bool = False) -> Iterator[None]:
    """Inside, `current` is what it is now: one moment, and asked for once. To be entered before
    a transaction is, in which nobody can tell what is current. Whoever searches `for_words` waits
    for what is still being read of them."""
    if _pinned.is_pinned:
        yield
        return
    table = process.current()
    if for_words and process.wait_for_texts():
        table = process.current()
    _pinned.table, _pinned.is_pinned = table, True
    try:
        yield
    finally:
        _pinned.table, _pinned.is_pinned = None, False


def current() -> Table | None:
    return _pinned.table if _pinned.is_pinned else process.current()
