"""How long a person waits for a search."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from config.lib.statement_timeout import QueryTimeout, statement_timeout
from findings.columnar.current import is_getting_ready
from findings.columnar.pinned import pinned
from findings.explorer.search import Search


class StillLoading(QueryTimeout):
    """Not in time, and findings are still being read into memory: soon the same search takes
    milliseconds."""


@contextmanager
def searching(search: Search) -> Iterator[None]:
    """Everything that is read inside is of one moment. Raises QueryTimeout."""
    with pinned(for_words=search.has_words):
        try:
            with statement_timeout():
                yield
        except QueryTimeout as error:
            if is_getting_ready():
                raise StillLoading from error
            raise
