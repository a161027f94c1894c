"""The values that lists of tags have of a key, as codes of the columns in memory.

What a tag comes to is worked out once: tags are only ever added. It is remembered with the tags,
and goes with them.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

import numpy as np

from findings.columnar.arrays import Codes
from findings.columnar.dictionary import TagLists
from findings.columnar.ranks import Ranks
from findings.columnar.remembered import keep
from findings.columnar.selection import Array
from findings.columnar.texts import Texts
from findings.query.predicate import tag_values

BATCH = 10_000  # tags that are read at once
FEW = 8  # times as many lists are there


class TagValues(NamedTuple):
    """The values of one key in lists of tags, as pairs of a list and a value, in the order of
    the lists."""

    lists: Array
    values: Array  # codes of `texts`; 0 is "": of a tag without a value
    texts: Texts
    ranks: Callable[[Array], Array]

    def beside(self, lists: Codes) -> tuple[Array, Array]:
        """Each of these rows beside each of its values, as positions in `lists` and codes. One
        without a value stands beside ""."""
        has_value = self.values != 0
        owners, values = self.lists[has_value], self.values[has_value]
        of_list = np.bincount(owners, minlength=int(lists.max(initial=-1)) + 1)
        start = np.cumsum(of_list) - of_list
        first = np.zeros(len(of_list), values.dtype)
        first[owners[::-1]] = values[::-1]
        others = np.maximum(of_list[lists] - 1, 0)
        rows = np.repeat(np.arange(len(lists)), others)
        nth = np.arange(len(rows)) - np.repeat(np.cumsum(others) - others, others) + 1
        codes = values[start[lists[rows]] + nth]
        every = np.concatenate((np.arange(len(lists)), rows))
        return every, np.concatenate((first[lists], codes))


class KnownTags:
    """The values that lists of tags have of a key, as far as they were read."""

    def __init__(self, tags: TagLists, key: str) -> None:
        self.texts = Texts()
        self.texts.encode([""])
        self.ranks = Ranks(self.texts)
        self._tags, self._key = tags, key
        self._of_key = np.zeros(0, np.int32)  # the tags
        self._values = np.zeros(0, np.int32)  # of each of them
        self._found = np.zeros((0, 2), np.int32)
        self._pairs = 0  # read of them
        self._firsts = 0, np.zeros(0, np.int32)
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        arrays = (self._of_key, self._values, self._found, self._firsts[1])
        return self.texts.nbytes + self.ranks.nbytes + sum(each.nbytes for each in arrays)

    def found(self) -> Array:
        """Pairs of a list and the code of a value."""
        with self._lock:
            pairs = self._tags.pairs  # before the tags: those of the pairs are known
            if len(pairs) > self._pairs:
                self._read_tags()
                added = pairs[self._pairs :]
                if len(self._of_key):
                    nth = np.searchsorted(self._of_key, added[:, 1])
                    nth = np.minimum(nth, len(self._of_key) - 1)
                    kept = self._of_key[nth] == added[:, 1]
                    more = np.column_stack((added[kept, 0], self._values[nth[kept]]))
                    self._found = np.concatenate((self._found, more))
                self._pairs = len(pairs)
            return self._found

    def _read_tags(self) -> None:
        tags = self._tags
        of_key = tags.of_key(self._key)
        added = of_key[len(self._of_key) :].tolist()
        for start in range(0, len(added), BATCH):
            batch = [tags.tags[code] for code in added[start : start + BATCH]]
            texts = [str(value) for tag in batch for value in tag_values((tag,), self._key)]
            self._values = np.concatenate((self._values, self.texts.encode(texts)))
        self._of_key = of_key.astype(np.int32)

    def firsts(self, end: int) -> Array:
        """Of each list before `end` the code of its first value, by their characters."""
        found = self.found()
        known, firsts = self._firsts
        if known == len(found) and len(firsts) >= end:
            return firsts
        firsts = np.zeros(max(end, len(self._tags.entries)), np.int32)
        lists, values = found[found[:, 1] != 0].T  # one that is empty is none
        firsts[lists] = values
        again = lists[1:][lists[1:] == lists[:-1]]
        if len(again):
            among = np.isin(lists, again)
            lists, values = lists[among], values[among]
            order = np.lexsort((-self.ranks(values), lists))  # of those of a list the last stays
            firsts[lists[order]] = values[order]
        if len(found) * FEW > len(firsts):  # of a key of few findings they are soon made again
            self._firsts = len(found), firsts
        return firsts


def known_tags(tags: TagLists, key: str) -> KnownTags:
    known = keep(tags, key, lambda: KnownTags(tags, key))
    known.found()
    tags.derived.keep(key, known)
    return known


def tag_values_of(tags: TagLists, key: str) -> TagValues:
    known = known_tags(tags, key)
    lists, values = known.found().T
    return TagValues(lists, values, known.texts, known.ranks)
