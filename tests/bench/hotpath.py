"""`python -m tests.bench hotpath [--issues 300000]`

What the queue asks every few seconds, and at each step of its work, with many past issues in
the database of DATABASE_URL or SQLite, empty and gone afterwards. Ends with 1 when a statement
takes longer than it may.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.machines import fresh_database

MAX_MILLISECONDS = 5.0
TIMES = 25


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench hotpath", description=__doc__)
    parser.add_argument("--issues", type=int, default=300_000)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory, fresh_database() as url:
        os.environ["DATABASE_URL"] = url or f"sqlite:///{Path(directory) / 'hot.sqlite3'}"
        os.environ["DATA_DIR"] = directory
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
        return _measure(given.issues)


def _measure(number: int) -> int:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from tests.bench.past_issues import past_issues
    from tests.bench.queue_questions import questions

    call_command("migrate", verbosity=0)
    begun = time.monotonic()
    issue = past_issues(number)
    sys.stdout.write(f"{number} past issues in {time.monotonic() - begun:.1f} s\n")
    is_slow = False
    for name, ask in questions(issue).items():
        best, median = max(_milliseconds(ask), default=(0.0, 0.0))
        is_slow |= best > MAX_MILLISECONDS
        sys.stdout.write(
            f"{name:<20}{best:8.2f} ms at best, {median:8.2f} ms half of {TIMES} times\n"
        )
    connection.close()
    return 1 if is_slow else 0


def _milliseconds(ask: Callable[[], object]) -> list[tuple[float, float]]:
    """Of each statement that the question takes: the best and the median of many times.

    The best is the statement's own; what else the machine does adds to the median.
    """
    runs = []
    for _ in range(TIMES):
        with timed() as taken:
            ask()
        runs.append(taken)
    return [(min(times), statistics.median(times)) for times in zip(*runs, strict=True)]


@contextmanager
def timed() -> Iterator[list[float]]:
    from django.db import connection

    taken: list[float] = []

    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return run(sql, params, many, context)
        finally:
            taken.append(1000 * (time.perf_counter() - begun))

    with connection.execute_wrapper(execute):
        yield taken
