"""A search answered from the columns: the same findings that `Search.findings` finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import reduce
from operator import and_, or_

import numpy as np
from django.utils import timezone

from config.lib.utc import microseconds, midnight
from findings.columnar.arrays import Mask
from findings.columnar.matching import matching
from findings.columnar.rows import NEVER
from findings.columnar.table import Table
from findings.explorer.due import SOON, Due
from findings.explorer.search import (
    COLUMN_FACETS,
    FILTERS,
    IN_INBOX,
    RULE_FACETS,
    TAG_FACETS,
    Clock,
    Search,
    rule_ids,
)
from findings.facts import CONTAINER_IMAGE, GONE_STATUSES, OPEN_STATUSES, TYPE_CHOICES
from findings.query.ast import Exact, Exists


def matched(table: Table, search: Search, *, facets: Sequence[str] = FILTERS) -> Mask | None:
    """What matches the query, the time and the choices made in these facets; None: the columns
    cannot tell (yet). Those of groups and of one import never do."""
    chosen = [facet for facet in facets if facet in search.chosen]
    if search.within or "import" in chosen:
        return None
    found = matching(table, search.root, timezone.now())
    if found is None:
        return None
    masks = [*_in_time(table, search), *(_chosen(table, f, search.chosen[f]) for f in chosen)]
    return reduce(and_, masks, found)


def _in_time(table: Table, search: Search) -> Iterator[Mask]:
    times = table.moments(search.clock.moment)
    if search.since:
        yield times >= max(microseconds(search.since), NEVER + 1)
    if search.until:
        yield (times < microseconds(search.until)) & (times != NEVER)
    if search.clock is Clock.OPEN:
        yield _was_open(table, search.until)


def _was_open(table: Table, until: datetime | None) -> Mask:
    is_open = table.of_profiles(table.profiles_with("status", OPEN_STATUSES))
    if until is None:
        return is_open
    is_gone = table.of_profiles(table.profiles_with("status", GONE_STATUSES))
    return is_open | (is_gone & (table.moments("resolved_at") >= microseconds(until)))


def _chosen(table: Table, facet: str, values: Sequence[str]) -> Mask:
    if facet in TAG_FACETS:
        return _tagged(table, facet, values)
    if facet == "due":
        return reduce(or_, (is_due(table, due) for due in Due if due in values), _none(table))
    return table.of_profiles(profiles_chosen(table, facet, values))


def profiles_chosen(table: Table, facet: str, values: Sequence[str]) -> Mask:
    """Of a facet that is neither a tag nor the time it is due: which profiles are chosen."""
    if facet in COLUMN_FACETS:
        return table.profiles_with(COLUMN_FACETS[facet], values)
    if facet in RULE_FACETS:
        rules = [*map(str, rule_ids(values)), *([""] if "" in values else [])]
        return table.profiles_with(RULE_FACETS[facet], rules)
    if facet == "inbox":
        inside = is_in_inbox(table)
        known = {IN_INBOX: inside, "": ~inside}
        return reduce(or_, (known[value] for value in values if value in known), inside & ~inside)
    return _types(table, values)


def is_in_inbox(table: Table) -> Mask:
    """Of each profile."""
    is_open = table.profiles_with("status", OPEN_STATUSES)
    return table.profiles_with("is_in_inbox", ["true"]) & is_open


def _types(table: Table, values: Sequence[str]) -> Mask:
    is_image = table.profiles_with("resource_type", [CONTAINER_IMAGE])
    found = np.zeros(len(is_image), dtype=np.bool_)
    for choice in TYPE_CHOICES:
        if choice.value in values:
            of_type = table.profiles_with("finding_type", [choice.wire])
            if choice.resource_is_image is not None:
                of_type &= is_image if choice.resource_is_image else ~is_image
            found |= of_type
    return found


def _tagged(table: Table, key: str, values: Sequence[str]) -> Mask:
    found = np.zeros(len(table.tags.entries), dtype=np.bool_)
    for value in values:
        passes = table.tags.passing(key, Exact(value) if value else Exists())
        passes = passes if value else ~passes
        size = max(len(found), len(passes))
        found = np.pad(found, (0, size - len(found))) | np.pad(passes, (0, size - len(passes)))
    tagged: Mask = found.take(table.tag_codes.values)
    return tagged


def is_due(table: Table, due: Due) -> Mask:
    """As `due.is_due`."""
    times = table.moments("due_at")
    dated = times != NEVER
    dated &= table.of_profiles(table.profiles_with("status", OPEN_STATUSES))
    if not due:
        never: Mask = ~dated
        return never
    today, beyond = due_bounds()
    ranges = {
        Due.OVERDUE: times < today,
        Due.SOON: (times >= today) & (times < beyond),
        Due.LATER: times >= beyond,
    }
    found: Mask = dated & ranges[due]
    return found


def due_bounds() -> tuple[int, int]:
    """Where today begins, and where later does; in microseconds since 1970."""
    today = midnight(timezone.now())
    return microseconds(today), microseconds(today + SOON)


def _none(table: Table) -> Mask:
    return np.zeros(table.size, dtype=np.bool_)
