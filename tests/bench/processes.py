"""What processes and the backends of a database spend, as /proc and PostgreSQL say."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

import psycopg

_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK = """
SELECT pid, coalesce(wait_event_type = 'Lock', false) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
LOOK_EVERY = 0.25  # seconds


def cpu_of_tree(roots: Iterable[int]) -> float:
    """CPU seconds of processes and all that they have started, those that have ended too."""
    parents = {}
    spent = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents[int(entry.name)] = int(fields[1])
            spent[int(entry.name)] = sum(map(int, fields[11:15])) / _TICKS  # with its dead children
    found = set(roots)
    while new := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= new
    return sum(spent.get(pid, 0) for pid in found)


class Connections:
    """Of one database, looked at ever again: how many, what they spend, who waits for a lock."""

    def __init__(self, session: psycopg.Connection) -> None:
        self._session = session
        self._first: dict[int, float] = {}
        self._last: dict[int, float] = {}
        self._looks = self._waits = 0
        self.most = 0
        self._look()
        self._looks = self._waits = 0

    @property
    def cpu(self) -> float:
        """CPU seconds since the first look, but for the last moments of a connection that went."""
        return sum(spent - self._first[pid] for pid, spent in self._last.items())

    @property
    def lock_waits(self) -> float:
        """Sessions that waited for a lock, in 100 looks."""
        return 100 * self._waits / max(1, self._looks)

    def look_until(self, over: threading.Event) -> None:
        while not over.wait(LOOK_EVERY):
            self._look()
        self._look()

    def _look(self) -> None:
        rows = self._session.execute(_LOOK).fetchall()
        self._looks += 1
        self._waits += sum(waits for _, waits in rows)
        self.most = max(self.most, len(rows))
        is_first = not self._looks - 1 and not self._last
        for pid, _ in rows:
            if fields := _stat(pid):
                spent = sum(map(int, fields[11:13])) / _TICKS
                self._first.setdefault(pid, spent if is_first else 0.0)
                self._last[pid] = spent


def _stat(pid: int) -> list[str]:
    """The fields after the name, from the state on; none of a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []
