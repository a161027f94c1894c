"""How long a read may keep the database busy before nobody waits for it any more.

PostgreSQL counts by itself. SQLite asks us every few thousand steps of a statement, those of
our own functions among them, whether to go on. Either way it is one statement that is timed,
the connection is as good as before, and what is meant is a read: a write that SQLite gives up
takes its transaction with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

from django.db import Error, OperationalError, connection, transaction

SECONDS = 5
"""For a person who waits for a search."""
_CANCELED = "57014"
_STEPS = 1_000  # of SQLite between two looks at the clock: some microseconds, with words some ms


class QueryTimeout(Exception):
    """The database did not answer in time."""


def force_index_order() -> None:
    """Have PostgreSQL find the next page by walking the index of its order, not by sorting.

    For searches that many findings match: of words the planner thinks few do, and would test
    every finding before it shows the first fifty (measured at 200,000: 1.3 s instead of 10 ms).
    Lasts as long as `statement_timeout`.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")


def is_timeout(error: BaseException | None) -> bool:
    """Whether the database gave a statement up because its time had run out."""
    if isinstance(error, QueryTimeout):
        return True
    if not isinstance(error, OperationalError):
        return False
    return getattr(error.__cause__, "sqlstate", "") == _CANCELED or str(error) == "interrupted"


@contextmanager
def statement_timeout(seconds: float | None = None) -> Iterator[None]:
    """Raises QueryTimeout when a statement inside takes longer than SECONDS, or `seconds`."""
    within = _postgresql if connection.vendor == "postgresql" else _sqlite
    try:
        with within(seconds or SECONDS):
            yield
    except OperationalError as error:
        if is_timeout(error):
            raise QueryTimeout from error
        raise


@contextmanager
def request_timeout(seconds: float) -> Iterator[None]:
    """The same for every statement of a request that only reads, without a transaction around it.

    What is given up stays an OperationalError, see `is_timeout`. Costs nothing where the
    database is not asked.
    """
    within = _postgresql_session if connection.vendor == "postgresql" else _sqlite
    with within(seconds):
        yield


class _Around(local):
    seconds: float = 0


_around = _Around()  # the time that holds already, on PostgreSQL; 0 is none


@contextmanager
def _postgresql(seconds: float) -> Iterator[None]:
    around, is_in_transaction = _around.seconds, connection.in_atomic_block
    _around.seconds = min(around or seconds, seconds)
    try:
        with transaction.atomic():
            _set_local(str(int(_around.seconds * 1000)))
            yield
            if is_in_transaction:  # it would outlive this block; an error takes it back by itself
                _set_local(str(int(around * 1000)) if around else "DEFAULT")
    finally:
        _around.seconds = around


def _set_local(milliseconds: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {milliseconds}")


@contextmanager
def _postgresql_session(seconds: float) -> Iterator[None]:
    timed: list[Any] = []  # the connection, once there is one
    around, _around.seconds = _around.seconds, seconds

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  Django's signature
        if not timed:
            timed.append(connection.connection)
            connection.connection.execute(f"SET statement_timeout = {int(seconds * 1000)}")
        return run(sql, params, many, context)

    try:
        with connection.execute_wrapper(execute):
            yield
    finally:
        _around.seconds = around
        if timed and timed[0] is connection.connection:
            try:
                with connection.wrap_database_errors:
                    connection.connection.execute("RESET statement_timeout")
            except Error:  # broken or in a broken transaction: the next request gets a new one
                connection.close_if_unusable_or_obsolete()


class _Clock(local):
    handler: Callable[[], bool] | None = None


_sqlite_clock = _Clock()


@contextmanager
def _sqlite(seconds: float) -> Iterator[None]:
    ends = [0.0]

    def has_ended() -> bool:
        return time.monotonic() > ends[0]

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  Django's signature
        if _sqlite_clock.handler is has_ended:  # else a shorter time inside of this one counts
            ends[0] = time.monotonic() + seconds
            connection.connection.set_progress_handler(has_ended, _STEPS)
        return run(sql, params, many, context)

    outer, _sqlite_clock.handler = _sqlite_clock.handler, has_ended
    try:
        with connection.execute_wrapper(execute):
            yield
    finally:
        _sqlite_clock.handler = outer
        if connection.connection is not None:
            connection.connection.set_progress_handler(None, _STEPS)
