"""Which findings a page of a search has, and in which order, from the columns in memory.

The rows themselves are then read by their keys. What filters nothing is left to the index of
its order, which is as fast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np

from config.lib.keyset import Moment
from config.lib.utc import microseconds
from findings.columnar.pinned import current
from findings.columnar.rows import NEVER
from findings.columnar.selection import Array, places_in_order
from findings.columnar.table import Table
from findings.explorer.columnar_search import Found, mask_of, rows_of
from findings.explorer.search import EVERYTHING, Clock, Search
from findings.facts import Severity

RANKS = {severity.value: severity.rank for severity in Severity}
Place = Sequence[int | datetime]
"""A row's values of the columns of an order: times, ranks and keys."""


def number_of(search: Search) -> int | None:
    """How many match, all of them counted."""
    found = rows_of(search)
    return found[1].number if found else None


def numbers_of(searches: Sequence[Search]) -> list[int] | None:
    table = current()
    masks = [mask_of(table, search) for search in searches] if table else [None]
    counts = [int(np.count_nonzero(mask)) for mask in masks if mask is not None]
    return counts if len(counts) == len(masks) else None


def pks_of(
    search: Search,
    columns: Sequence[str],
    *,
    is_descending: bool,
    after: Place | None = None,
    most: int | None = None,
    found: Found | None = None,
) -> list[int] | None:
    """The keys of what is found (`rows_of`, where that is known), in the order of these columns,
    from behind a place on."""
    if not filters(search) or (found := found or rows_of(search)) is None:
        return None
    table, rows = found
    places = places_in_order(
        rows.places,
        [_values(table, column) for column in columns],
        is_descending=is_descending,
        after=[_number(value) for value in after] if after is not None else None,
        most=most,
    )
    pks: list[int] = table.pks[places].tolist()
    return pks


def filters(search: Search) -> bool:
    """Whether there is anything that it may not find."""
    is_whole = search.root == EVERYTHING and search.clock is not Clock.OPEN
    return not is_whole or any((search.chosen, search.since, search.until, search.within))


def _values(table: Table, column: str) -> Callable[[Array], Array]:
    """What tells it of the findings at some places."""
    if column == "severity_rank":
        severity = table.profile_column("severity")
        ranks = np.array([RANKS.get(each, 0) for each in severity.entries], np.int8)
        of_profiles, profiles = ranks[severity.codes], table.profile_codes.values
        return lambda places: of_profiles[profiles[places]]
    if column == "due_or_never":
        due, latest = table.moments("due_at"), microseconds(Moment.latest)
        return lambda places: np.where(due[places] == NEVER, latest, due[places])
    values = table.pks if column == "pk" else table.moments(column)
    return lambda places: values[places]


def _number(value: int | datetime) -> int:
    return value if isinstance(value, int) else microseconds(value)
