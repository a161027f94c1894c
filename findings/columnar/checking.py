"""Whether a table is what the database holds, as far as a few sums tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from django.db import connection

from findings.columnar.table import Table
from findings.facts import Severity


class Sums(NamedTuple):
    findings: int
    severities: int
    statuses: int


_SUMS = """
    SELECT count(*), coalesce(sum(id * severity_rank), 0), coalesce(sum(id * length(status)), 0)
    FROM findings_finding
"""


def sums_of_database() -> Sums:
    """One statement that reads all findings."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS)
        return Sums(*map(int, cursor.fetchone()))


def sums_of(table: Table) -> Sums:
    def summed(name: str, worth: dict[str, int]) -> int:
        column = table.profile_column(name)
        each = np.array([worth.get(entry, 0) for entry in column.entries], dtype=np.int64)
        of_findings = each[column.codes][table.profile_codes.values]
        return int(np.dot(of_findings[table.alive], table.pks[table.alive]))

    ranks = {severity.value: severity.rank for severity in Severity}
    lengths = {entry: len(entry) for entry in table.profile_column("status").entries}
    return Sums(table.count, summed("severity", ranks), summed("status", lengths))
