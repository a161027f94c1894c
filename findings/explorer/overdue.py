"""How many open findings are overdue, by severity or by team."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from findings.columnar.pinned import current
from findings.columnar.selection import counted
from findings.columnar.table import Table
from findings.explorer.due import Due, is_due, overdue_by_severity
from findings.explorer.matched import is_due as is_due_in
from findings.models import Finding
from findings.trends.columnar_counting import values_of
from findings.trends.counting import By, overdue_by_team


def overdue_by(by: str) -> Mapping[str, int]:
    """Severity or team ("" for none) → findings. One statement, or none."""
    if table := current():
        return _from(table, by)
    if by == By.SEVERITY:
        return overdue_by_severity()
    return overdue_by_team(Finding.objects.filter(is_due(Due.OVERDUE)))


def _from(table: Table, by: str) -> Counter[str]:
    places = np.flatnonzero(table.alive & is_due_in(table, Due.OVERDUE))
    _, codes, values = values_of(table, places, by)
    found, numbers = (each.tolist() for each in counted(codes))
    return Counter({values[code]: number for code, number in zip(found, numbers, strict=True)})
