"""The panels of the Inbox from the columns in memory."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from django.utils import timezone

from config.lib.utc import moment_of
from findings.columnar.matching import matching
from findings.columnar.rows import NEVER
from findings.columnar.selection import Array
from findings.explorer.columnar_search import rows_of
from findings.explorer.due import Due
from findings.explorer.matched import due_bounds
from findings.explorer.search import Search
from findings.query.ast import Node

DUES = (Due.OVERDUE, Due.SOON, Due.LATER, Due.NEVER)
Counted = tuple[str, str, bool, int, int, datetime | None]


def panel_groups(search: Search, is_pending: Node) -> list[Counted] | None:
    """Findings that are open by severity, when they are due and whether they are pending: how
    many, how many of them today, and when the first of them is due."""
    if (found := rows_of(search)) is None:
        return None
    table, rows = found
    severity = table.coded_profile("severity")
    pending = matching(table, is_pending, timezone.now())
    if pending is None:
        return None
    width = len(severity.entries)
    today, beyond = due_bounds()
    due = rows.of(table.moments("due_at"))
    kinds = _kinds(due, today, beyond)
    groups = (kinds * 2 + rows.of(pending)) * width + rows.of(severity.codes)
    counts = np.bincount(groups)
    of_today = np.bincount(groups[due == today], minlength=len(counts))
    latest = np.iinfo(np.int64).max
    firsts = np.full(len(counts), latest, np.int64)
    dated = due != NEVER
    np.minimum.at(firsts, groups[dated], due[dated])
    return [
        (
            severity.entries[group % width],
            DUES[group // width // 2].value,
            bool(group // width % 2),
            int(counts[group]),
            int(of_today[group]),
            None if firsts[group] == latest else moment_of(int(firsts[group])),
        )
        for group in np.flatnonzero(counts).tolist()
    ]


def _kinds(due: Array, today: int, beyond: int) -> Array:
    """Where in `DUES` each stands."""
    found = np.full(len(due), 3)
    dated = due != NEVER
    found[dated & (due >= beyond)] = 2
    found[dated & (due < beyond)] = 1
    found[dated & (due < today)] = 0
    return found
