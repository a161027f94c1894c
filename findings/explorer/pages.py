"""One page of a search, from a place in the order on: whatever arrives meanwhile, no finding
is shown twice and none is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Self

from django.db.models import Q, QuerySet

from config.lib import counting
from config.lib.keyset import BadKeyset, Keyset, Moment, Whole
from config.lib.statement_timeout import force_index_order, statement_timeout
from config.lib.ui_tags import MAX_COUNTED
from findings.explorer import columnar_pages
from findings.explorer.columnar_search import Found, rows_of
from findings.explorer.group_values import with_values
from findings.explorer.search import Search
from findings.models import DUE_OR_NEVER, Finding

ROWS = (25, 50, 100)
COUNTED = MAX_COUNTED
"""More findings than these are not counted: their number would take longer than the page."""
MAX_PAGES = 10**9
_COLUMNS = {"severity_rank": Whole(0, 32_767), "pk": Whole()}  # the others are times
_BESIDE = ("source", "evaluation")  # read with each finding
EXPORT_SECONDS = 30
"""For each batch of an export. Raises QueryTimeout."""


class Sort(StrEnum):
    SEVERITY = "-severity"
    LEAST_SEVERE = "severity"
    NEWEST = "-first_seen"
    OLDEST = "first_seen"
    CHANGED = "-changed"
    UNCHANGED = "changed"
    OPENED = "-opened"
    OPENED_LONG_AGO = "opened"
    DUE = "due"
    DUE_LAST = "-due"

    @property
    def columns(self) -> tuple[str, ...]:
        """All in one direction, so that the index of the order serves both ways."""
        return {
            "severity": ("severity_rank", "first_seen_at", "pk"),
            "first_seen": ("first_seen_at", "pk"),
            "changed": ("detection_changed_at", "pk"),
            "opened": ("opened_at", "pk"),
            "due": ("due_or_never", "pk"),
        }[self.field]

    @property
    def field(self) -> str:
        """As a column names the order that it has both ways."""
        return self.value.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.value.startswith("-")


SORTS: Mapping[Sort, str] = {
    Sort.SEVERITY: "Most severe first",
    Sort.LEAST_SEVERE: "Least severe first",
    Sort.NEWEST: "Newest first",
    Sort.OLDEST: "Oldest first",
    Sort.CHANGED: "Last changed first",
    Sort.UNCHANGED: "Longest unchanged first",
    Sort.OPENED: "Last opened first",
    Sort.OPENED_LONG_AGO: "Longest open first",
    Sort.DUE: "Due first",
    Sort.DUE_LAST: "Due last",
}


def _in_sort(found: QuerySet[Finding], sort: Sort) -> QuerySet[Finding]:
    """With what the sort by due date needs."""
    return found.annotate(due_or_never=DUE_OR_NEVER) if sort.field == "due" else found


class PageCursor(NamedTuple):
    """Where a page begins: after (or before) a finding, which need not exist any more."""

    number: int  # of the page, for "51–100 of 412"
    backwards: bool
    values: tuple[Any, ...]  # of the sort's columns

    @classmethod
    def read(cls, text: str, sort: Sort) -> Self | None:
        """None for what `write` never gave, or gave for another order."""
        try:
            number, backwards, *values = _keyset(sort).read(text)
        except BadKeyset:
            return None
        return cls(number, bool(backwards), tuple(values))

    def write(self, sort: Sort) -> str:
        return _keyset(sort).write(self.number, int(self.backwards), *self.values)


def _keyset(sort: Sort) -> Keyset:
    columns = (_COLUMNS.get(column, Moment()) for column in sort.columns)
    return Keyset(Whole(1, MAX_PAGES), Whole(0, 1), *columns)


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
    """How many match; COUNTED + 1 for any number beyond. One statement, or none."""
    number = columnar_pages.number_of(search)
    if number is not None:
        return min(number, COUNTED + 1)
    return search.findings().order_by()[: COUNTED + 1].count()


def numbers_of(searches: Sequence[Search], *, most: int) -> list[int]:
    """How many match each of them; `most` + 1 for any number beyond. One statement, or none."""
    if not searches:
        return []
    numbers = columnar_pages.numbers_of(searches)
    if numbers is not None:
        return [min(number, most + 1) for number in numbers]
    return counting.numbers_of([search.findings().order_by()[: most + 1] for search in searches])


def in_order(search: Search, sort: Sort) -> QuerySet[Finding]:
    """Everything that is found, as the pages go through it."""
    sign = "-" if sort.is_descending else ""
    found = _in_sort(search.findings(), sort)
    return found.order_by(*(f"{sign}{column}" for column in sort.columns))


def pks_in_order(search: Search, sort: Sort, *, most: int) -> list[int]:
    """The keys of what is found, in order; at most so many. One statement, or none."""
    pks = columnar_pages.pks_of(search, sort.columns, is_descending=sort.is_descending, most=most)
    return list(in_order(search, sort).values_list("pk", flat=True)[:most]) if pks is None else pks


def walk(
    search: Search, *, sort: Sort, at_once: int, with_attributes: bool = False
) -> Iterator[Sequence[Finding]]:
    """Everything that is found, in its order, so many at once: one statement for each batch.
    Of a grouped search each has the values of its group, as `value_names` calls them.

    Each is read by itself, so that however long the reader takes, the database keeps nothing
    for it: neither a snapshot nor a copy of the result. A finding whose place in the order
    changes meanwhile may be told twice, or not.
    """
    found = with_values(in_order(search, sort), search.group).select_related(*_BESIDE)
    unread = ("description", "digest", "fingerprint", *(() if with_attributes else ("attributes",)))
    found = found.defer(*unread)
    pks = columnar_pages.pks_of(search, sort.columns, is_descending=sort.is_descending)
    if pks is not None:
        yield from _walk_along(pks, found, at_once)
        return
    with statement_timeout(EXPORT_SECONDS):
        many = total_of(search) > COUNTED
    side = "lt" if sort.is_descending else "gt"
    batch = found[:at_once]
    while findings := _read(batch, along_the_order=many):
        yield findings
        if len(findings) < at_once:
            return
        last = [getattr(findings[-1], column) for column in sort.columns]
        batch = found.filter(_beyond(sort.columns, last, side))[:at_once]


def _walk_along(
    pks: Sequence[int], found: QuerySet[Finding], at_once: int
) -> Iterator[Sequence[Finding]]:
    """What was found at first, as far as it is found when it is read."""
    for start in range(0, len(pks), at_once):
        chunk = pks[start : start + at_once]
        read = {row.pk: row for row in _read(found.order_by().filter(pk__in=chunk))}
        yield [read[pk] for pk in chunk if pk in read]


def _read(batch: QuerySet[Finding], *, along_the_order: bool = False) -> list[Finding]:
    with statement_timeout(EXPORT_SECONDS):
        if along_the_order:
            force_index_order()
        return list(batch)


def page_and_total(
    search: Search, *, sort: Sort, cursor: PageCursor | None, size: int
) -> tuple[Page, int]:
    """As `page_of` and `total_of`, of one look through the columns in memory."""
    found = rows_of(search)
    total = min(found[1].number, COUNTED + 1) if found else total_of(search)
    if total > COUNTED and search.has_words:
        force_index_order()
    return page_of(search, sort=sort, cursor=cursor, size=size, found=found), total


def page_of(
    search: Search,
    *,
    sort: Sort,
    cursor: PageCursor | None,
    size: int,
    found: Found | None = None,
) -> Page:
    """One statement. `found` is what the columns in memory have told of the search."""
    backwards = cursor is not None and cursor.backwards
    findings, more = _read_page(search, sort, cursor, size, found)
    if backwards:
        findings.reverse()
    number = cursor.number if cursor else 1
    if backwards and not more:
        number = 1  # rows may have come or gone since; the first page is the first page
    has_previous = more if backwards else number > 1
    has_next = backwards or more
    return Page(
        [_row(finding) for finding in findings],
        (number - 1) * size + 1,
        _cursor(findings, sort, number - 1, backwards=True) if has_previous else "",
        _cursor(findings, sort, number + 1, backwards=False) if has_next else "",
    )


def _read_page(
    search: Search,
    sort: Sort,
    cursor: PageCursor | None,
    size: int,
    found: Found | None,
) -> tuple[list[Finding], bool]:
    """In the direction in which the cursor goes, and whether there are more."""
    backwards = cursor is not None and cursor.backwards
    descending = sort.is_descending is not backwards
    after = cursor.values if cursor else None
    unread = ("description", "digest", "fingerprint")
    pks = columnar_pages.pks_of(
        search, sort.columns, is_descending=descending, after=after, most=size + 1, found=found
    )
    if pks is not None:
        rows = Finding.objects.order_by().select_related(*_BESIDE).defer(*unread)
        read = _in_sort(rows, sort).in_bulk(pks[:size])
        return [read[pk] for pk in pks if pk in read], len(pks) > size
    rows = _in_sort(search.findings(), sort).select_related(*_BESIDE).defer(*unread)
    if after:
        rows = rows.filter(_beyond(sort.columns, after, "lt" if descending else "gt"))
    order = [f"-{column}" if descending else column for column in sort.columns]
    findings = list(rows.order_by(*order)[: size + 1])
    return findings[:size], len(findings) > size


def _cursor(findings: Sequence[Finding], sort: Sort, number: int, *, backwards: bool) -> str:
    if not findings:
        return ""
    finding = findings[0 if backwards else -1]
    values = tuple(getattr(finding, column) for column in sort.columns)
    return PageCursor(max(number, 1), backwards, values).write(sort)


def _beyond(columns: Sequence[str], values: Sequence[Any], side: str) -> Q:
    """Rows after these values in the order of the columns, as a tuple comparison would say."""
    beyond = Q((f"{columns[-1]}__{side}", values[-1]))
    for column, value in zip(columns[-2::-1], values[-2::-1], strict=True):
        beyond = Q((f"{column}__{side}", value)) | (Q((column, value)) & beyond)
    # Implied by the rest, and lets the index find the place.
    return Q((f"{columns[0]}__{side}e", values[0])) & beyond


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
