"""The counts of a histogram from the columns in memory."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.lib.utc import moment_of
from findings.columnar.rows import NEVER
from findings.columnar.selection import counted
from findings.explorer.columnar_search import rows_of
from findings.explorer.search import Search


def counts_by_time(search: Search, unit: timedelta) -> list[tuple[datetime, str, int]] | None:
    """How many findings have their time in each unit (UTC) that has any, by severity."""
    if (found := rows_of(search)) is None:
        return None
    table, rows = found
    severity = table.coded_profile("severity")
    times, codes = rows.of(table.moments(search.clock.moment)), rows.of(severity.codes)
    known = times != NEVER
    if not known.all():
        times, codes = times[known], codes[known]
    if not len(times):
        return []
    width = len(severity.entries)
    length = unit // timedelta.resolution
    units = times // length
    first = int(units.min())
    codes, numbers = counted((units - first) * width + codes)
    return [
        (moment_of((first + code // width) * length), severity.entries[code % width], number)
        for code, number in zip(codes.tolist(), numbers.tolist(), strict=True)
    ]
