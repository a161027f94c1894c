"""The cases of a page, in an order, and how many there are in each status.

What an index tells is read along the index of the order, and only what is shown from the table.
What each case has to be looked at for, as for words, is looked for once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case as Choice
from django.db.models import Count, Expression, F, Q, QuerySet, When, Window
from django.db.models.functions import Length, RowNumber, Upper

from config.lib.numbered_pages import nearest_page, rows_of
from ticketing.models import Case
from ticketing.models.key_prefix import KeyPrefix

Order = tuple[str | Expression, ...]
UNDEFINED_LAST = Length("priority")
""" "P1" to "P5" are short, NOT_DEFINED is not; an index can say so on both databases."""
_NEWEST = ("-modified_at", "-number", "-id")
ORDERS: Mapping[str, Order] = {
    "updated": _NEWEST,
    "created": ("-created_at", "-number", "-id"),
    "priority": (UNDEFINED_LAST, "priority", "-modified_at", "-id"),
    "due": (F("due_date").asc(nulls_last=True), *_NEWEST),
    "key": (KeyPrefix("key"), "-number"),
}
"""Each is that of an index, to the last column."""
_STATUSES = Case.Status.values
_NOTHING = (None, "", *(0 for _ in _STATUSES))
_BY_STATUS = Upper("status")
"""Not by the column: SQLite would read the whole table along an index of it."""
Keys = QuerySet[Any, Any] | Sequence[UUID]


class Page(NamedTuple):
    pks: Keys
    number: int
    counts: Mapping[str, int]  # of cases in each status, whatever status is asked for


class Columns(NamedTuple):
    pks: Mapping[str, Keys]  # by status
    counts: Mapping[str, int]


def page_along_index(found: QuerySet[Case], order: Order, *, status: str, number: int) -> Page:
    """One statement; the keys are part of the one that reads the rows."""
    counts = _counts_of(found)
    total = counts[status] if status else sum(counts.values())
    number = nearest_page(number, total=total)
    if not total:  # else an index is read to its end
        return Page((), number, counts)
    wanted = (found.filter(status=status) if status else found).order_by(*order)
    return Page(_part(wanted, rows_of(number), total).values("pk"), number, counts)


def page_at_once(found: QuerySet[Case], order: Order, *, status: str, number: int) -> Page:
    """One statement; three if there is no such page."""
    number = max(number, 1)
    # Even where it is the same for all: no index has the order then, and none is walked along.
    others_last = Choice(When(status=status, then=0), default=1)
    counts = {each: Window(Count("pk", filter=Q(status=each))) for each in _STATUSES}
    seen = found.annotate(**counts).order_by(others_last, *order)
    told: QuerySet[Any, Any] = seen.values_list("pk", "status", *_STATUSES)
    rows = list(told[rows_of(number)])
    [(_, _, *numbers)] = rows[:1] or (list(told[:1]) if number > 1 else []) or [_NOTHING]
    found_in = dict(zip(_STATUSES, numbers, strict=True))
    nearest = nearest_page(number, total=found_in[status] if status else sum(numbers))
    if nearest != number:
        return page_at_once(found, order, status=status, number=nearest)
    return Page([pk for pk, its, *_ in rows if status in ("", its)], number, found_in)


def columns_along_index(found: QuerySet[Case], order: Order, *, most: int) -> Columns:
    """One statement; the keys are part of those that read the rows."""
    counts = _counts_of(found)
    ordered = found.order_by(*order).values("pk")
    pks = {each: ordered.filter(status=each)[:most] if counts[each] else () for each in _STATUSES}
    return Columns(pks, counts)


def columns_at_once(found: QuerySet[Case], order: Order, *, most: int) -> Columns:
    """One statement."""
    place = Window(RowNumber(), partition_by=_BY_STATUS, order_by=order)
    total = Window(Count("*"), partition_by=_BY_STATUS)
    seen = found.order_by().annotate(place=place, total=total).filter(place__lte=most)
    pks: dict[str, list[UUID]] = {each: [] for each in _STATUSES}
    counts = dict.fromkeys(_STATUSES, 0)
    for pk, status, counts_of_status in seen.values_list("pk", "status", "total"):
        pks[status].append(pk)
        counts[status] = counts_of_status
    return Columns(pks, counts)


def _counts_of(found: QuerySet[Case]) -> Mapping[str, int]:
    counted = found.order_by().values_list("status").annotate(number=Count("*"))
    return dict.fromkeys(_STATUSES, 0) | dict(counted)


def _part(wanted: QuerySet[Case], part: slice, total: int) -> QuerySet[Case]:
    """In any order. What is nearer to the end is read from there."""
    if 2 * part.start < total:
        return wanted[part]
    return wanted.reverse()[max(total - part.stop, 0) : total - part.start]
