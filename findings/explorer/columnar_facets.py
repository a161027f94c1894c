"""The counts of facets from the columns in memory: findings are gone through once for each choice
that is left out, and their profiles, which are few, for each facet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from findings.columnar.pinned import current
from findings.columnar.rows import NEVER
from findings.columnar.selection import Array, Key, Selection, first_in_order
from findings.columnar.table import Table
from findings.columnar.tag_values import TagValues, tag_values_of
from findings.explorer.columnar_search import FacetRows
from findings.explorer.due import Due
from findings.explorer.matched import due_bounds, is_in_inbox
from findings.explorer.search import COLUMN_FACETS, IN_INBOX, RULE_FACETS, TAG_FACETS, Search
from findings.facts import CONTAINER_IMAGE, OPEN_STATUSES, type_choice
from findings.query.scalars import ascii_lower

_COLUMNS = COLUMN_FACETS | RULE_FACETS


def counts_of_facets(
    search: Search, names: Sequence[str], *, most: int, containing: str = ""
) -> dict[str, Counter[str]] | None:
    """Findings by value of each facet, of which "" is none; without the facet's own choice. Of a
    tag the chosen values, and the most frequent: at most so many, and with this text in them, in
    any case (A to Z)."""
    table = current()
    rows = FacetRows.of(table, search) if table else None
    if table is None or rows is None:
        return None
    return {
        name: _by_tag(
            _TagCounts.of(table, name, rows.without(name)),
            search.chosen.get(name, ()),
            most=most,
            containing=ascii_lower(containing),
        )
        if name in TAG_FACETS
        else _counts(table, name, rows.without(name))
        for name in names
    }


def _counts(table: Table, name: str, rows: Selection) -> Counter[str]:
    if name == "due":
        return _by_due(table, rows)
    numbers = rows.counts(table.profile_codes.values)
    if name in _COLUMNS:
        return _by_column(table, _COLUMNS[name], numbers)
    return (_by_type if name == "type" else _by_inbox)(table, numbers)


def _by_column(table: Table, name: str, numbers: Array) -> Counter[str]:
    codes, entries = table.profile_column(name)
    counts = np.bincount(codes[: len(numbers)], weights=numbers)
    return _summed((entries[code], counts[code]) for code in np.flatnonzero(counts).tolist())


def _by_type(table: Table, numbers: Array) -> Counter[str]:
    kinds = table.profile_column("finding_type")
    is_image = table.profiles_with("resource_type", [CONTAINER_IMAGE])[: len(numbers)]
    pairs = np.bincount(kinds.codes[: len(numbers)] * 2 + is_image, weights=numbers)
    return _summed(
        (type_choice(kinds.entries[n // 2], CONTAINER_IMAGE if n % 2 else "").value, pairs[n])
        for n in np.flatnonzero(pairs).tolist()
    )


def _by_inbox(table: Table, numbers: Array) -> Counter[str]:
    number = numbers[is_in_inbox(table)[: len(numbers)]].sum()
    return _summed(((IN_INBOX, number), ("", numbers.sum() - number)))


def _by_due(table: Table, rows: Selection) -> Counter[str]:
    """Only what is open is due."""
    days = rows.of(table.moments("due_at"))
    is_dated = (days != NEVER) & _is_open(table)[rows.of(table.profile_codes.values)]
    dated = days[is_dated]
    today, beyond = due_bounds()
    overdue, before = np.count_nonzero(dated < today), np.count_nonzero(dated < beyond)
    return _summed(
        (
            (Due.OVERDUE.value, overdue),
            (Due.SOON.value, before - overdue),
            (Due.LATER.value, len(dated) - before),
            (Due.NEVER.value, rows.number - len(dated)),
        )
    )


def _is_open(table: Table) -> Array:
    """Of each profile."""
    return table.profiles_with("status", OPEN_STATUSES)


class _TagCounts(NamedTuple):
    """A finding with two values counts for both; one without a value, for none."""

    values: TagValues
    counts: Array  # of each value; of the first one, those that have none

    @classmethod
    def of(cls, table: Table, key: str, rows: Selection) -> _TagCounts:
        of_lists = rows.counts(table.tag_codes.values)
        found = tag_values_of(table.tags, key)
        # Lists stand in order, and those at the end may be newer than the table.
        end = np.searchsorted(found.lists, len(of_lists))
        lists, values = found.lists[:end], found.values[:end]
        counts = np.bincount(values, weights=of_lists[lists], minlength=1).astype(np.int64)
        has_value = np.zeros(len(of_lists), bool)
        has_value[lists] = True
        counts[0] = of_lists[~has_value].sum()  # in place of tags without a value: no choice
        return cls(found, counts)


def _by_tag(
    found: _TagCounts, chosen: Sequence[str], *, most: int, containing: str
) -> Counter[str]:
    texts, counts = found.values.texts, found.counts
    codes = np.flatnonzero(counts)
    if containing:
        holding = [*texts.holding(containing)]
        if "\n" in containing:  # which may be found where one text ends and the next begins
            holding = [code for code in holding if containing in ascii_lower(texts[code])]
        codes = codes[np.isin(codes, holding)]
    if len(codes) > most:
        is_chosen = np.isin(codes, [texts.code(value) for value in chosen])
        keys: list[Key] = [~is_chosen, -counts[codes], lambda rows: found.values.ranks(codes[rows])]
        codes = codes[first_in_order(len(codes), keys, most)]
    return _summed((texts[code], counts[code]) for code in codes.tolist())


def _summed(pairs: Iterable[tuple[str, Any]]) -> Counter[str]:
    """Without the values that none has."""
    counts: Counter[str] = Counter()
    for value, number in pairs:
        counts[value] += int(number)
    return +counts
