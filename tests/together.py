"""The same thing done by several at once, each with a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection


def done_by_two_at_once(act: Callable[[], object], *refusals: type[Exception]) -> list[str]:
    """What became of each, sorted: "done", or the name of the refusal. PostgreSQL only."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    together, outcomes = Barrier(2), []

    def press() -> None:
        together.wait()
        try:
            act()
        except refusals as refusal:
            outcomes.append(type(refusal).__name__)
        else:
            outcomes.append("done")
        finally:
            connection.close()

    threads = [Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)
