"""The rows of some groups, gone through once for all of them: one group after the other, most of
the time is spent on waiting for memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from findings.columnar.selection import Array

_MARKED = 8
"""Times more pairs there may be than rows, so that each is marked; of more, rows are sorted."""


class Pairs(NamedTuple):
    """Different ones, in the order of the groups."""

    groups: Array
    codes: Array

    def those(self, mask: Array) -> Pairs:
        return Pairs(self.groups[mask], self.codes[mask])

    def counts(self, number: int) -> list[int]:
        """Of each of so many groups."""
        counts: list[int] = np.bincount(self.groups, minlength=number).tolist()
        return counts

    def of_each(self, number: int) -> Iterator[slice]:
        """Where those of each of so many groups are."""
        ends = np.searchsorted(self.groups, np.arange(number + 1)).tolist()
        yield from map(slice, ends[:-1], ends[1:])


class Members(NamedTuple):
    places: Array  # in the table
    groups: Array  # from 0, of each of them
    number: int  # of groups

    def those(self, mask: Array) -> Members:
        return Members(self.places[mask], self.groups[mask], self.number)

    @property
    def counts(self) -> Array:
        return np.bincount(self.groups, minlength=self.number)

    def least(self, values: Array) -> Array:
        """Of each group; of one without rows the greatest that there is."""
        found = np.full(self.number, np.iinfo(values.dtype).max, values.dtype)
        np.minimum.at(found, self.groups, values[self.places])
        return found

    def greatest(self, values: Array) -> Array:
        found = np.full(self.number, np.iinfo(values.dtype).min, values.dtype)
        np.maximum.at(found, self.groups, values[self.places])
        return found

    def different(self, codes: Array, entries: int) -> Pairs:
        """Each group beside the codes that its rows have, each once; all are below `entries`."""
        pairs = self.groups * entries + codes[self.places]
        every = self.number * entries
        if len(pairs) * _MARKED < every:
            pairs.sort()
            is_first = np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]
            return Pairs(*np.divmod(pairs[is_first], entries))
        is_there = np.zeros(every, np.bool_)
        is_there[pairs] = True
        return Pairs(*np.divmod(np.flatnonzero(is_there), entries))
