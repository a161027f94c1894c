"""The newest findings of the columns in memory: to which rule each comes, and how they group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from django.utils import timezone

from config.lib.utc import microseconds
from findings.columnar.arrays import Mask
from findings.columnar.matching import matching
from findings.columnar.pinned import current
from findings.columnar.rows import NEVER
from findings.columnar.selection import Array, Selection, first_in_order
from findings.columnar.table import Table
from findings.explorer.columnar_values import combined, group_values
from findings.facts import GONE_STATUSES
from findings.query.ast import Node


class Criteria(NamedTuple):
    """Of a rule."""

    finding_types: Sequence[str]
    query: Node


class Groups(NamedTuple):
    """How findings group by some fields."""

    numbers: Sequence[int | None]
    """Of each finding, its group's, counted from 0 in the order in which the groups begin; None:
    it lacks one of the fields."""
    values: Callable[[int], tuple[str, ...]]  # of the group with that number


class NewestFindings:
    """In the order in which they opened. What it cannot tell yet is None, and is read meanwhile."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.size = table.size

    @classmethod
    def since(
        cls, since: datetime, *, most: int, of: Criteria | None = None
    ) -> NewestFindings | None:
        """At most so many that opened since then, and match."""
        table = current()
        if table is None:
            return None
        opened = table.moments("opened_at")
        found = table.alive & (opened >= max(microseconds(since), NEVER + 1))
        if of:
            if (matches := _matching(table, of)) is None:
                return None
            found &= matches
        places = Selection(found).places
        order = first_in_order(len(places), [-opened[places], -table.pks[places]], most)
        return cls(table.part(places[order[::-1]]))

    @property
    def pks(self) -> Array:
        return self._table.pks

    @property
    def opened(self) -> Array:
        """Microseconds since 1970."""
        return self._table.moments("opened_at")

    def gone(self, *, still_there: int) -> Array:
        """Microseconds since 1970; of one that is not gone, or nobody knows since when, what is
        said."""
        table = self._table
        since = table.moments("resolved_at")
        is_gone = table.of_profiles(table.profiles_with("status", GONE_STATUSES))
        return np.where(is_gone & (since != NEVER), since, still_there)

    def first_matches(self, rules: Sequence[Criteria | None]) -> Array | None:
        """Of each finding, the place of the first of the rules that it matches; -1: of none. A
        rule that is None matches nothing."""
        first = np.full(self.size, -1, np.int32)
        # All of them, so that all columns that are not held yet are asked for at once.
        found = [(nth, _matching(self._table, rule)) for nth, rule in enumerate(rules) if rule]
        for nth, matches in reversed(found):
            if matches is None:
                return None
            first[matches] = nth
        return first

    def groups(self, names: Sequence[str]) -> Groups | None:
        values = [each for name in names if (each := group_values(self._table, name))]
        if len(values) < len(names):
            return None
        of_row, parts = combined(values)
        inside = np.flatnonzero(of_row >= 0)
        known, begins, nth = np.unique(of_row[inside], return_index=True, return_inverse=True)
        order = np.argsort(begins)
        found = np.full(self.size, None, object)
        found[inside] = np.argsort(order)[nth]

        def texts(number: int) -> tuple[str, ...]:
            group = known[order[number]]
            return tuple(
                each.texts[int(part[group])] for each, part in zip(values, parts, strict=True)
            )

        return Groups(found.tolist(), texts)


def _matching(table: Table, criteria: Criteria) -> Mask | None:
    found = matching(table, criteria.query, timezone.now())
    types = table.of_profiles(table.profiles_with("finding_type", criteria.finding_types))
    return None if found is None else found & types
