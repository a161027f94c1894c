"""One page of a search, from a place in the order on: whatever arrives meanwhile, no finding
is shown twice and none is left out."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from findings.explorer.patience import walk_the_order
from findings.explorer.search import Search
from findings.models import Finding

ROWS = (25, 50, 100)
COUNTED = 10_000
"""More findings than these are not counted: their number would take longer than the page."""
_LARGEST = 2**63 - 1


class Sort(StrEnum):
    SEVERITY = "-severity"
    LEAST_SEVERE = "severity"
    NEWEST = "-first_seen"
    OLDEST = "first_seen"
    CHANGED = "-changed"
    UNCHANGED = "changed"

    @property
    def columns(self) -> tuple[str, ...]:
        """All in one direction, so that the index of the order serves both ways."""
        return {
            "severity": ("severity_rank", "first_seen_at", "pk"),
            "first_seen": ("first_seen_at", "pk"),
            "changed": ("detection_changed_at", "pk"),
        }[self.value.removeprefix("-")]

    @property
    def is_descending(self) -> bool:
        return self.value.startswith("-")


class Place(NamedTuple):
    """Where a page begins: after (or before) a finding, which need not exist any more."""

    number: int  # of the page, for "51–100 of 412"
    backwards: bool
    values: tuple[Any, ...]  # of the sort's columns

    @classmethod
    def read(cls, text: str, sort: Sort) -> Self | None:
        """None for what `str(place)` never gave, or gave for another order."""
        try:
            number, backwards, *values = json.loads(urlsafe_b64decode(text))
            place = cls(int(number), bool(backwards), tuple(map(_value, sort.columns, values)))
        except (ValueError, TypeError, AttributeError):
            return None
        fits = len(values) == len(sort.columns) and 0 < place.number <= _LARGEST
        return place if fits else None

    def __str__(self) -> str:
        values = [v.isoformat() if isinstance(v, datetime) else v for v in self.values]
        written = json.dumps([self.number, int(self.backwards), *values])
        return urlsafe_b64encode(written.encode()).decode()


class Row(NamedTuple):
    finding: Finding
    where: str
    service: str
    team: str


class Page(NamedTuple):
    rows: Sequence[Row]
    start: int
    previous: str
    next: str

    @property
    def end(self) -> int:
        return self.start + len(self.rows) - 1


def total_of(search: Search) -> int:
    """How many match; COUNTED + 1 for any number beyond. One statement."""
    return search.findings().order_by()[: COUNTED + 1].count()


def numbers_of(searches: Sequence[Search], *, most: int) -> list[int]:
    """How many match each of them; `most` + 1 for any number beyond. One statement."""
    if not searches:
        return []
    counts: list[str] = []
    params: list[Any] = []
    for nth, search in enumerate(searches):
        try:
            sql, of_search = search.findings().order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            counts.append("SELECT 0")
            continue
        counts.append(f"SELECT count(*) FROM ({sql} LIMIT {most + 1}) found{nth}")  # noqa: S608  Django's own
        params += of_search
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'({count})' for count in counts)}", params)
        return list(cursor.fetchone())


def in_order(search: Search, sort: Sort) -> QuerySet[Finding]:
    """Everything that is found, as the pages go through it."""
    sign = "-" if sort.is_descending else ""
    return search.findings().order_by(*(f"{sign}{column}" for column in sort.columns))


def walk(search: Search, *, sort: Sort, at_once: int) -> Iterator[Sequence[Finding]]:
    """Everything that is found, in its order, so many at once: one statement for each batch.

    Each is read by itself, so that however long the reader takes, the database keeps nothing
    for it: neither a snapshot nor a copy of the result. A finding whose place in the order
    changes meanwhile may be told twice, or not.
    """
    many = total_of(search) > COUNTED
    found = in_order(search, sort).select_related("source")
    found = found.defer("description", "attributes", "digest", "fingerprint")
    side = "lt" if sort.is_descending else "gt"
    batch = found[:at_once]
    while findings := _read(batch, along_the_order=many):
        yield findings
        if len(findings) < at_once:
            return
        last = [getattr(findings[-1], column) for column in sort.columns]
        batch = found.filter(_beyond(sort.columns, last, side))[:at_once]


def _read(batch: QuerySet[Finding], *, along_the_order: bool) -> list[Finding]:
    if not along_the_order or connection.vendor != "postgresql":
        return list(batch)
    with transaction.atomic():
        walk_the_order()
        return list(batch)


def page_of(search: Search, *, sort: Sort, place: Place | None, size: int) -> Page:
    """One statement."""
    found = search.findings().select_related("source")
    found = found.defer("description", "digest", "fingerprint")
    backwards = place is not None and place.backwards
    descending = sort.is_descending is not backwards
    if place:
        found = found.filter(_beyond(sort.columns, place.values, "lt" if descending else "gt"))
    order = [f"-{column}" if descending else column for column in sort.columns]
    findings = list(found.order_by(*order)[: size + 1])
    more, findings = len(findings) > size, findings[:size]
    if backwards:
        findings.reverse()
    number = place.number if place else 1
    if backwards and not more:
        number = 1  # rows may have come or gone since; the first page is the first page
    has_previous = more if backwards else number > 1
    has_next = backwards or more
    return Page(
        [_row(finding) for finding in findings],
        (number - 1) * size + 1,
        _place(findings, sort, number - 1, backwards=True) if has_previous else "",
        _place(findings, sort, number + 1, backwards=False) if has_next else "",
    )


def _place(findings: Sequence[Finding], sort: Sort, number: int, *, backwards: bool) -> str:
    if not findings:
        return ""
    finding = findings[0 if backwards else -1]
    values = tuple(getattr(finding, column) for column in sort.columns)
    return str(Place(max(number, 1), backwards, values))


def _beyond(columns: Sequence[str], values: Sequence[Any], side: str) -> Q:
    """Rows after these values in the order of the columns, as a tuple comparison would say."""
    beyond = Q((f"{columns[-1]}__{side}", values[-1]))
    for column, value in zip(columns[-2::-1], values[-2::-1], strict=True):
        beyond = Q((f"{column}__{side}", value)) | (Q((column, value)) & beyond)
    # Implied by the rest, and lets the index find the place.
    return Q((f"{columns[0]}__{side}e", values[0])) & beyond


def _value(column: str, said: object) -> Any:
    if column.endswith("_at"):
        moment = datetime.fromisoformat(str(said))
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment
    number = int(str(said))
    if abs(number) > (32_767 if column == "severity_rank" else _LARGEST):
        raise ValueError("a number beyond its column")
    return number


def _row(finding: Finding) -> Row:
    advisory = finding.attributes.get("advisory")
    known_as = advisory.get("id") if isinstance(advisory, dict) else None
    parts = (known_as, finding.resource_name or finding.resource_id)
    return Row(
        finding,
        " · ".join(part for part in parts if isinstance(part, str) and part),
        tag_value(finding.tags, "service"),
        tag_value(finding.tags, "team"),
    )


def tag_value(tags: Sequence[str], key: str) -> str:
    """The first value of the tag, or ""."""
    start = f"{key}:"
    return next((tag.removeprefix(start) for tag in tags if tag.startswith(start)), "")
