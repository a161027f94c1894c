"""What findings are grouped by, as codes of the columns in memory.

What an entry of a dictionary comes to is worked out once: entries are only ever added. It is
remembered with the dictionary, and goes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_
from threading import Lock
from typing import NamedTuple

import numpy as np

from findings.columnar.arrays import Mask, Vector
from findings.columnar.dictionary import TextColumn
from findings.columnar.profiles import PROFILE, Profiles
from findings.columnar.ranks import Ranks
from findings.columnar.remembered import keep
from findings.columnar.selection import Array
from findings.columnar.table import Table
from findings.columnar.tag_values import known_tags
from findings.columnar.texts import Texts
from findings.explorer.search import Within
from findings.facts import CORE_FIELDS
from findings.grouping import STORED, attribute_path, clip, first_of, tag_key
from findings.query.scalars import ascii_lower

BATCH = 10_000  # entries that are read at once
_DENSE = 4_000_000
"""Combinations of values that are counted in one array."""


class Values(NamedTuple):
    """`codes` are those of `texts`, for each row of the table; the first text is "": none."""

    codes: Array
    texts: Texts
    ranks: Callable[[Array], Array]  # numbers in the order of what these codes stand for


class _Known:
    """What each entry of a dictionary comes to, as far as it was read."""

    def __init__(self, read: Callable[[int], str]) -> None:
        self.texts = Texts()
        self.texts.encode([""])
        self.ranks = Ranks(self.texts)
        self._read = read
        self._found = np.zeros(0, np.int32)
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        return self.texts.nbytes + self.ranks.nbytes + self._found.nbytes

    def found(self, end: int) -> Array:
        """The code of what each entry before `end` comes to."""
        with self._lock:
            start = len(self._found)
            if start < end:
                batches = (range(n, min(n + BATCH, end)) for n in range(start, end, BATCH))
                more = [self.texts.encode([*map(self._read, batch)]) for batch in batches]
                self._found = np.concatenate((self._found, *more))
            return self._found


def group_values(table: Table, name: str) -> Values | None:
    """As `grouping.values_of` tells them; None: a column is not held yet."""
    if key := tag_key(name):
        known = known_tags(table.tags, key)  # whose values are too short to be clipped
        codes = table.tag_codes.values
        firsts = known.firsts(int(codes.max(initial=-1)) + 1)
        return Values(firsts[codes], known.texts, known.ranks)
    column, of_text = _column_of(name)
    if column in PROFILE:
        read = _profile_reader(table.profiles, column)
        return _values(table.profile_codes, name, table.profiles, read)
    held = table.held(column)
    if held is None:
        return None
    texts = held.dictionary.entries
    if of_text is str:  # each entry is what it comes to
        return Values(
            held.codes.values, texts, keep(held.dictionary, "ranks", lambda: Ranks(texts))
        )
    return _values(held.codes, name, held.dictionary, _text_reader(held.dictionary, of_text))


def _values(
    codes: Vector[np.int32],
    name: str,
    dictionary: TextColumn | Profiles,
    read: Callable[[int], str],
) -> Values:
    known = keep(dictionary, name, lambda: _Known(read))
    found = known.found(int(codes.values.max(initial=-1)) + 1)
    dictionary.derived.keep(name, known)
    return Values(found.take(codes.values), known.texts, known.ranks)


def _column_of(name: str) -> tuple[str, Callable[[str], str] | None]:
    """The column, and what its text comes to; None: it is a path in a document."""
    if name == "resource":
        return "resource_id", str
    if name == "title":
        return "title", ascii_lower
    if name in STORED:
        return f"grouping.{name}", str
    path = attribute_path(name)
    if core := CORE_FIELDS.get(path):
        return core.column, clip
    return f"attributes.{path}", None


def _text_reader(column: TextColumn, of_text: Callable[[str], str] | None) -> Callable[[int], str]:
    if of_text is None:
        return lambda code: first_of(column.values(code))
    return lambda code: of_text(column.entries[code])


def _profile_reader(profiles: Profiles, column: str) -> Callable[[int], str]:
    nth = PROFILE.index(column)
    entries = profiles.columns[column].entries
    return lambda profile: clip(entries[int(profiles.rows[profile, nth])])


def combined(values: Sequence[Values]) -> tuple[Array, list[Array]]:
    """A number for the values of each row together, -1 for one that lacks any of them; and of each
    number the codes of its values."""
    first, *others = values
    if not others:
        return np.where(first.codes != 0, first.codes, -1), [np.arange(len(first.texts))]
    numbers, parts = first.codes.astype(np.int64), [np.arange(len(first.texts))]
    for each in others:
        width = len(each.texts)
        numbers = numbers * width + each.codes
        if len(parts[0]) * width <= _DENSE:
            known = np.arange(len(parts[0]) * width)
        else:
            known, numbers = np.unique(numbers, return_inverse=True)
        parts = [*(part[known // width] for part in parts), known % width]
    has_all: Mask = reduce(and_, (each.codes != 0 for each in values))
    return np.where(has_all, numbers, -1), parts


def is_within(table: Table, names: Sequence[str], within: Within) -> Mask | None:
    """The rows that are in these groups."""
    values = [found for name in names if (found := group_values(table, name))]
    if len(values) < len(names):
        return None
    has_all: Mask = reduce(and_, (each.codes != 0 for each in values))
    inside = np.zeros(len(has_all), bool)
    for group in within.groups:
        pairs = zip(values, group, strict=True)
        inside |= reduce(and_, (each.codes == each.texts.code(text) for each, text in pairs))
    if within.every:
        inside |= has_all
    return inside | ~has_all if within.lone else inside
