"""Some rows of the table: what they have, how many have each value, the first in an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from findings.columnar.arrays import Mask

Array = NDArray[Any]
MAX_BINS = 1_000_000
"""Beyond, codes are sorted to be counted."""
SAMPLE = 100
"""So many times as many values as are looked for tell where about they end."""


class Selection:
    """Those of a mask, in the table's order."""

    def __init__(self, mask: Mask) -> None:
        self.number = int(np.count_nonzero(mask))
        self._every = self.number == len(mask)
        self._places = None if self._every else np.flatnonzero(mask)

    @property
    def places(self) -> Array:
        if self._places is None:
            self._places = np.arange(self.number)
        return self._places

    def of(self, values: Array) -> Array:
        """Of a value for each row of the table, those of these rows."""
        return values if self._every else values[self.places]

    def counts(self, codes: Array) -> Array:
        """How many of these rows have each code, up to the highest."""
        return np.bincount(self.of(codes))


def counted(codes: Array) -> tuple[Array, Array]:
    """Each code (0 or more) that occurs, ascending, and how often."""
    if int(codes.max(initial=0)) > MAX_BINS:
        return np.unique(codes, return_counts=True)
    every = np.bincount(codes)
    found = np.flatnonzero(every)
    return found, every[found]


Key = Array | Callable[[Array], Array]
"""Of each row, or what tells it of some: numbers that only have their order."""


def first_in_order(number: int, keys: Sequence[Key], most: int) -> Array:
    """Where the first of so many rows are, ascending by their keys, of which each breaks the ties
    of those before it; at most so many (1 or more). Takes linear time."""
    rest = np.arange(number)
    chosen: list[Array] = []
    for key in keys:
        if len(rest) <= most:
            break
        values = _of(key, rest)
        last = _nth(values, most)
        chosen.append(rest[values < last])
        most -= len(chosen[-1])
        rest = rest[values == last]
    found = np.concatenate([*chosen, rest[:most]])
    order: Array = np.lexsort([_of(key, found) for key in reversed(keys)])
    return found[order]


def _nth(values: Array, nth: int) -> Any:
    """The nth smallest. That of a sample is no smaller, and few are left below it."""
    if (step := len(values) // (SAMPLE * nth)) > 1:
        bound = np.partition(values[::step], nth - 1)[nth - 1]
        values = values[values < bound]
        if len(values) < nth:
            return bound
    return np.partition(values, nth - 1)[nth - 1]


def _of(key: Key, rows: Array) -> Array:
    return key(rows) if callable(key) else key[rows]


def beyond(keys: Sequence[Array], values: Sequence[int]) -> Mask:
    """Which rows come after these values, as a comparison of tuples tells."""
    *before, key = keys
    *firsts, value = values
    after: Mask = key > value
    for each, first in zip(reversed(before), reversed(firsts), strict=True):
        after = (each > first) | ((each == first) & after)
    return after


def places_in_order(
    places: Array,
    values: Sequence[Callable[[Array], Array]],
    *,
    is_descending: bool,
    after: Sequence[int] | None = None,
    most: int | None = None,
) -> Array:
    """The first of these places in the order of what is there, of which the last tells all apart;
    those behind some values, if these are said. Later values are looked at where earlier ones are
    equal."""
    sign = -1 if is_descending else 1

    def key_of(value: Callable[[Array], Array]) -> Key:
        return lambda rows: sign * value(places[rows])

    if after is not None:
        behind = [sign * value for value in after]
        places = places[beyond([sign * value(places) for value in values], behind)]
    if not len(places):
        return places
    keys = [key_of(value) for value in values]
    chosen: Array = places[first_in_order(len(places), keys, most or len(places))]
    return chosen
