"""The order of the texts of a dictionary."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from findings.columnar.selection import Array
from findings.columnar.texts import Texts

FEW = 8  # times as many texts are there


class Ranks:
    """The order of texts: of few of them each time, else of all, once."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._order = self._ranks = np.zeros(0, np.int32)

    @property
    def nbytes(self) -> int:
        return self._order.nbytes + self._ranks.nbytes

    def __call__(self, codes: Array) -> Array:
        """Numbers that are in the order of the texts of these codes."""
        number, ranks = len(self._texts), self._ranks
        if len(ranks) < number:
            if len(codes) * FEW < number:
                different, at = np.unique(codes, return_inverse=True)
                few: Array = _inverse(self._sorted(different))[at]
                return few
            order = self._with_more(self._order, number)
            ranks = _inverse(order)
            self._order, self._ranks = order, ranks
        return ranks[codes]

    def _with_more(self, order: Array, number: int) -> Array:
        new = np.arange(len(order), number, dtype=np.int32)
        if len(new) * FEW > number:
            return self._sorted(np.arange(number, dtype=np.int32)).astype(np.int32)
        new = new[self._sorted(new)]
        read = self._texts.__getitem__
        at = [bisect_left(order, read(code), key=read) for code in new.tolist()]
        return np.insert(order, at, new)

    def _sorted(self, codes: Array) -> Array:
        """Where they are in their order."""
        texts = [self._texts[code] for code in codes.tolist()]
        return np.array(sorted(range(len(texts)), key=texts.__getitem__), np.int64)


def _inverse(order: Array) -> Array:
    ranks = np.empty(len(order), np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return ranks
