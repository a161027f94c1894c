"""A page of groups from the columns in memory: all groups are counted, and of those on the page
it is worked out what their findings have together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from config.lib.utc import moment_of
from findings.columnar.profiles import Column
from findings.columnar.remembered import keep
from findings.columnar.selection import Array, Key, Selection, first_in_order
from findings.columnar.table import Held, Table
from findings.explorer.columnar_members import Members
from findings.explorer.columnar_pages import RANKS, filters
from findings.explorer.columnar_search import rows_of
from findings.explorer.columnar_values import Values, combined, group_values
from findings.explorer.search import Search
from findings.facts import Ticket

_ATTACHED = [ticket.value for ticket in Ticket if ticket.is_attached]
_RANKS = 8  # more than there are
_DENSE = 4_000_000
"""Counts of a group and a severity that are made in one array."""
_ROW_BYTES = 4_000


class _Needed(NamedTuple):
    """Columns that tell of a group."""

    profiles: Array  # of each finding; and of each profile:
    ranks: Array
    types: Column
    is_attached: Array
    resource: Column
    ticket_key: Held
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
    resource, ticket_key = table.coded("resource_id"), table.held("ticket_key")
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
    keys = [texts(group) for group in paged] + [("",) * len(values)]
    members = _members(rows, grouped, paged)
    return [
        {f"key_{nth}": text for nth, text in enumerate(key)} | told | shared
        for key, told in zip(keys, _told(table, needed, members), strict=False)
    ]


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


def _members(rows: Selection, grouped: _Grouped, groups: Sequence[int]) -> Members:
    """The rows of each of the groups, and last those that are in none, if there are any."""
    count = len(groups)
    numbers = np.full(len(grouped.counts) + 1, -1)
    numbers[groups] = np.arange(count)
    numbers[-1] = count
    of_row = numbers[grouped.of_row]
    number = count + (int(grouped.counts.sum()) < len(of_row))
    inside: Array = of_row >= 0
    if inside.all():
        return Members(rows.places, of_row, number)
    return Members(rows.places[inside], of_row[inside], number)


def _told(table: Table, needed: _Needed, members: Members) -> list[dict[str, Any]]:
    """Of each of the groups."""
    number, keys = members.number, needed.ticket_key
    kept = members.different(needed.kept_in.codes, len(needed.kept_in.texts))
    ticketed = members.those(needed.is_attached[needed.profiles[members.places]])
    tickets = ticketed.different(keys.codes.values, len(keys.dictionary.entries))
    pks = zip(ticketed.counts.tolist(), ticketed.greatest(table.pks).tolist(), strict=True)
    columns: dict[str, Sequence[Any]] = {
        "number": members.counts.tolist(),
        "places": members.different(needed.resource.codes, len(needed.resource.entries)).counts(
            number
        ),
        "repositories": kept.those(kept.codes != 0).counts(number),
        "ticketed": ticketed.counts.tolist(),
        "tickets": tickets.those(tickets.codes != keys.dictionary.missing).counts(number),
        "first_seen_at": [*map(moment_of, members.least(needed.first_seen).tolist())],
        "last_seen_at": [*map(moment_of, members.greatest(needed.last_seen).tolist())],
        "newest": members.greatest(table.pks).tolist(),
        "newest_ticketed": [newest if count else None for count, newest in pks],
    }
    of_each = zip(
        zip(*columns.values(), strict=True),
        _profiles_of(needed, members),
        _names_of(needed, members),
        strict=True,
    )
    return [
        dict(zip(columns, numbers, strict=True)) | profiles | names
        for numbers, profiles, names in of_each
    ]


def _profiles_of(needed: _Needed, members: Members) -> Iterator[dict[str, Any]]:
    profiles = members.different(needed.profiles, len(needed.ranks))
    ranks, types = needed.ranks[profiles.codes], needed.types.codes[profiles.codes]
    for nth in profiles.of_each(members.number):
        names = [needed.types.entries[code] for code in np.unique(types[nth]).tolist()]
        yield {
            "worst": int(ranks[nth].max()),
            "first_type": min(names),
            "last_type": max(names),
        }


def _names_of(needed: _Needed, members: Members) -> Iterator[dict[str, Any]]:
    texts = needed.known_as.texts
    known = members.different(needed.known_as.codes, len(texts))
    known = known.those(known.codes != 0)
    ranks = needed.known_as.ranks(known.codes)
    for nth in known.of_each(members.number):
        codes, order = known.codes[nth], ranks[nth]
        yield {
            "first_known_as": texts[int(codes[order.argmin()])] if len(codes) else None,
            "last_known_as": texts[int(codes[order.argmax()])] if len(codes) else None,
            "vulnerability_count": len(codes),
        }
