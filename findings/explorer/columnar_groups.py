"""A page of groups from the columns in memory: all groups are counted, and of those on the page
it is worked out what their findings have together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from config.lib.utc import moment_of
from findings.columnar.profiles import Column
from findings.columnar.selection import Array, Key, Selection, first_in_order
from findings.columnar.table import Table
from findings.explorer.columnar_pages import RANKS
from findings.explorer.columnar_search import rows_of
from findings.explorer.columnar_values import Values, combined, group_values
from findings.explorer.search import Search
from findings.facts import Ticket

_ATTACHED = [ticket.value for ticket in Ticket if ticket.is_attached]
_SORTED = 16
"""Times fewer rows than a column has entries are sorted; of more each entry is counted."""


class _Needed(NamedTuple):
    """Columns that tell of a group."""

    severity: Column
    resource: Column
    resource_type: Column
    ticket: Column
    ticket_key: Column
    known_as: Values
    kept_in: Values
    first_seen: Array
    last_seen: Array


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
    return _page(table, rows, values, needed, number=number, size=size) if rows.number else []


def _needed(table: Table) -> _Needed | None:
    names = ("severity", "resource_id", "resource_type", "ticket", "ticket_key")
    coded = [table.coded(name) for name in names]
    valued = [group_values(table, name) for name in ("vulnerability", "repository")]
    if None in coded or None in valued:
        return None
    seen = map(table.moments, ("first_seen_at", "last_seen_at"))
    return _Needed._make([*coded, *valued, *seen])


def _page(
    table: Table,
    rows: Selection,
    values: Sequence[Values],
    needed: _Needed,
    *,
    number: int,
    size: int,
) -> list[dict[str, Any]]:
    ranks = np.array([RANKS.get(each, 0) for each in needed.severity.entries], np.int8)
    grouped = _grouped(rows, values, ranks[rows.of(needed.severity.codes)])
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
    is_inside = of_row >= 0
    inside = of_row[is_inside]
    counts = np.bincount(inside, minlength=len(parts[0]))
    worst = np.zeros(len(counts), np.int8)
    np.maximum.at(worst, inside, ranks[is_inside])
    return _Grouped(of_row, parts, counts, worst)


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
    slots = np.full(int(of_row.max(initial=-1)) + 2, -1, np.int16)  # the last one: no group
    slots[groups] = np.arange(len(groups), dtype=np.int16)
    slot = slots[of_row]
    inside = np.flatnonzero(slot >= 0)
    order = inside[np.argsort(slot[inside], kind="stable")]
    ends = np.cumsum(np.bincount(slot[inside], minlength=len(groups)))
    return np.split(order, ends[:-1]) if len(groups) else []


def _told(table: Table, needed: _Needed, places: Array) -> dict[str, Any]:
    attached = np.isin(
        needed.ticket.codes[places],
        [nth for nth, each in enumerate(needed.ticket.entries) if each in _ATTACHED],
    )
    ticketed = places[attached]
    types = [needed.resource_type.entries[code] for code in _codes(needed.resource_type, places)]
    known = _codes(needed.known_as, places)
    known = known[known != 0]
    kept = _codes(needed.kept_in, places)
    keys = [needed.ticket_key.entries[code] for code in _codes(needed.ticket_key, ticketed)]
    severities = [needed.severity.entries[code] for code in _codes(needed.severity, places)]
    return {
        "number": len(places),
        "worst": max(RANKS[each] for each in severities),
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
    codes = column.codes[places]
    entries = column.texts if isinstance(column, Values) else column.entries
    if len(codes) * _SORTED < len(entries):
        ordered = np.sort(codes)
        return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered
    return np.flatnonzero(np.bincount(codes))
