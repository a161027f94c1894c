"""A page of groups from the columns in memory: all groups are counted, and of those on the page
it is worked out what their findings have together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from config.lib.utc import moment_of
from findings.columnar.profiles import Column
from findings.columnar.remembered import keep
from findings.columnar.selection import Array, Key, Selection, first_in_order
from findings.columnar.table import Table
from findings.explorer.columnar_pages import RANKS, filters
from findings.explorer.columnar_search import rows_of
from findings.explorer.columnar_values import Values, combined, group_values
from findings.explorer.search import Search
from findings.facts import Ticket

_ATTACHED = [ticket.value for ticket in Ticket if ticket.is_attached]
_RANKS = 8  # more than there are
_DENSE = 4_000_000
"""Counts of a group and a severity that are made in one array."""
_SORTED = 16
"""Times fewer rows than a column has entries are sorted; of more each entry is marked."""
_ROW_BYTES = 4_000


class _Needed(NamedTuple):
    """Columns that tell of a group."""

    profiles: Array  # of each finding; and of each profile:
    ranks: Array
    types: Column
    is_attached: Array
    resource: Column
    ticket_key: Column
    known_as: Values
    kept_in: Values
    first_seen: Array
    last_seen: Array


class _Read(NamedTuple):
    """A page, as it is remembered."""

    rows: list[dict[str, Any]]

    @property
    def nbytes(self) -> int:
        return _ROW_BYTES * len(self.rows)


class _Grouped(NamedTuple):
    """Each group, by the values that its rows share."""

    of_row: Array  # its number, of each row; -1: in no group
    parts: Sequence[Array]  # of each number, the codes of its values
    counts: Array
    worst: Array


def read_page(
    search: Search, names: Sequence[str], *, number: int, size: int
) -> list[dict[str, Any]] | None:
    """As `group_sql.read_page`."""
    if (found := rows_of(search)) is None:
        return None
    table, rows = found
    needed = _needed(table)  # asks for all columns that are not held yet at once
    values = [each for name in names if (each := group_values(table, name))]
    if len(values) < len(names) or needed is None:
        return None
    if not rows.number:
        return []

    def page() -> _Read:
        return _Read(_page(table, rows, values, needed, number=number, size=size))

    # Of all findings it is the same until one of them changes, and then the table is another.
    asked = ("groups", *names, number, size)
    return (page() if filters(search) else keep(table, asked, page)).rows


def _needed(table: Table) -> _Needed | None:
    resource, ticket_key = (table.coded(name) for name in ("resource_id", "ticket_key"))
    known_as, kept_in = (group_values(table, name) for name in ("vulnerability", "repository"))
    if resource is None or ticket_key is None or known_as is None or kept_in is None:
        return None
    severity = table.profile_column("severity")
    ranks = np.array([RANKS.get(each, 0) for each in severity.entries], np.int8)
    return _Needed(
        profiles=table.profile_codes.values,
        ranks=ranks[severity.codes],
        types=table.profile_column("resource_type"),
        is_attached=table.profiles_with("ticket", _ATTACHED),
        resource=resource,
        ticket_key=ticket_key,
        known_as=known_as,
        kept_in=kept_in,
        first_seen=table.moments("first_seen_at"),
        last_seen=table.moments("last_seen_at"),
    )


def _page(
    table: Table,
    rows: Selection,
    values: Sequence[Values],
    needed: _Needed,
    *,
    number: int,
    size: int,
) -> list[dict[str, Any]]:
    grouped = _grouped(rows, values, needed.ranks[rows.of(needed.profiles)])
    groups = np.flatnonzero(grouped.counts)
    total = len(groups)
    start = (number - 1) * size
    if start >= total:
        start = max(0, (total - 1) // size * size)

    def texts(group: int) -> tuple[str, ...]:
        codes = (part[group] for part in grouped.parts)
        return tuple(each.texts[code] for each, code in zip(values, codes, strict=True))

    paged = _in_order(grouped, groups, values, most=start + size)[start:]
    shared = {"total": total, "in_groups": int(grouped.counts.sum()), "start": start}
    told = [
        {f"key_{nth}": text for nth, text in enumerate(texts(group))}
        | _told(table, needed, rows.places[of_group])
        | shared
        for group, of_group in zip(paged, _rows_of(grouped.of_row, paged), strict=True)
    ]
    lone = np.flatnonzero(grouped.of_row < 0)
    if len(lone):
        keys = {f"key_{nth}": "" for nth, _ in enumerate(values)}
        told.append(keys | _told(table, needed, rows.places[lone]) | shared)
    return told


def _grouped(rows: Selection, values: Sequence[Values], ranks: Array) -> _Grouped:
    of_row, parts = combined([each._replace(codes=rows.of(each.codes)) for each in values])
    number = len(parts[0])
    if number * _RANKS > _DENSE:
        inside: Array = of_row >= 0
        worst = np.zeros(number, np.int8)
        np.maximum.at(worst, of_row[inside], ranks[inside])
        return _Grouped(of_row, parts, np.bincount(of_row[inside], minlength=number), worst)
    # Those in no group are counted first, and left out.
    counts = np.bincount((of_row + 1) * _RANKS + ranks, minlength=(number + 1) * _RANKS)
    counts = counts.reshape(-1, _RANKS)[1:]
    worst = _RANKS - 1 - np.argmax(counts[:, ::-1] > 0, axis=1)
    return _Grouped(of_row, parts, counts.sum(axis=1), worst)


def _in_order(
    grouped: _Grouped, groups: Array, values: Sequence[Values], *, most: int
) -> list[int]:
    """The worst and then the largest first, equals by their values."""
    keys: list[Key] = [-(grouped.worst[groups].astype(np.int64) << 40) - grouped.counts[groups]]
    keys += [_by_text(each, part[groups]) for each, part in zip(values, grouped.parts, strict=True)]
    found: list[int] = groups[first_in_order(len(groups), keys, most)].tolist()
    return found


def _by_text(values: Values, codes: Array) -> Key:
    return lambda rows: values.ranks(codes[rows])


def _rows_of(of_row: Array, groups: Sequence[int]) -> list[Array]:
    """The rows of each of the groups."""
    small = np.int8 if len(groups) <= np.iinfo(np.int8).max else np.int16  # is sorted sooner
    slots: Array = np.full(int(of_row.max(initial=-1)) + 2, -1, small)  # the last one: no group
    slots[groups] = np.arange(len(groups), dtype=small)
    slot = slots[of_row]
    inside = np.flatnonzero(slot >= 0)
    order = inside[np.argsort(slot[inside], kind="stable")]
    ends = np.cumsum(np.bincount(slot[inside], minlength=len(groups)))
    return np.split(order, ends[:-1]) if len(groups) else []


def _told(table: Table, needed: _Needed, places: Array) -> dict[str, Any]:
    profiles = needed.profiles[places]
    different = _different(profiles, len(needed.ranks))
    types = {needed.types.entries[code] for code in needed.types.codes[different].tolist()}
    ticketed = places[needed.is_attached[profiles]]
    known = _codes(needed.known_as, places)
    known = known[known != 0]
    kept = _codes(needed.kept_in, places)
    keys = [needed.ticket_key.entries[code] for code in _codes(needed.ticket_key, ticketed)]
    return {
        "number": len(places),
        "worst": int(needed.ranks[different].max()),
        "places": len(_codes(needed.resource, places)),
        "repositories": int(np.count_nonzero(kept)),
        "first_type": min(types),
        "last_type": max(types),
        "ticketed": len(ticketed),
        "tickets": len([key for key in keys if key]),
        "first_known_as": _text(needed.known_as, known, np.argmin),
        "last_known_as": _text(needed.known_as, known, np.argmax),
        "vulnerability_count": len(known),
        "first_seen_at": moment_of(int(needed.first_seen[places].min())),
        "last_seen_at": moment_of(int(needed.last_seen[places].max())),
        "newest": int(table.pks[places].max()),
        "newest_ticketed": int(table.pks[ticketed].max()) if len(ticketed) else None,
    }


def _text(values: Values, codes: Array, choose: Callable[[Array], np.intp]) -> str | None:
    """The first or the last of these texts, as `choose` says of their ranks."""
    return values.texts[codes[choose(values.ranks(codes))]] if len(codes) else None


def _codes(column: Column | Values, places: Array) -> Array:
    """The codes that these rows have, each once."""
    entries = column.texts if isinstance(column, Values) else column.entries
    return _different(column.codes[places], len(entries))


def _different(codes: Array, number: int) -> Array:
    """Each once, ascending; all are below the number."""
    if len(codes) * _SORTED < number:
        ordered = np.sort(codes)
        return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered
    is_there = np.zeros(number, np.bool_)
    is_there[codes] = True
    return np.flatnonzero(is_there)
