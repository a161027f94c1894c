"""How long the explorer waits for the database, and what it says then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

SECONDS = 5
_CANCELED = "57014"


class TookTooLongError(Exception):
    """The database did not answer in time."""


def walk_the_order() -> None:
    """Have PostgreSQL find the next page by walking the index of its order, not by sorting.

    For searches that many findings match: of words the planner thinks few do, and would test
    every finding before it shows the first fifty (measured at 200,000: 1.3 s instead of 10 ms).
    Lasts as long as `patience`.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")


@contextmanager
def patience(seconds: float | None = None) -> Iterator[None]:
    """Raises TookTooLongError when a statement inside takes longer than SECONDS, or `seconds`.

    PostgreSQL only: it would go on with a search that nobody waits for any more. On SQLite a
    transaction would make readers wait for writers, and there is no server to protect.
    """
    if connection.vendor != "postgresql":
        yield
        return
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {int((seconds or SECONDS) * 1000)}")
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == _CANCELED:
            raise TookTooLongError from error
        raise
