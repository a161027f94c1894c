"""What work costs, on a machine that does other work meanwhile."""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter, process_time

from django.db import connection

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds() -> float:
    """Ours and our backend's; of a backend elsewhere nothing is known: wall time."""
    if connection.vendor != "postgresql":
        return process_time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    spent = cpu_of(pid)
    return perf_counter() if spent is None else process_time() + spent


def cpu_of(pid: int) -> float | None:
    """CPU seconds of a process of PostgreSQL on this machine."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists() or "postgres" not in (text := stat.read_text()):
        return None
    ticks = text.rpartition(") ")[2].split()
    return (int(ticks[11]) + int(ticks[12])) / _TICKS
