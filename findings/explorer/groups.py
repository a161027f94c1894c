"""A search's findings in groups: one page of them, the worst and largest first.

A page takes four statements, however many findings and groups there are: how many groups, those
of the page, what is in none, and for each group the findings that it is told by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Aggregate, Count, Max, Min, Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import NullIf

from findings.explorer.group_labels import Label, label_of
from findings.explorer.group_values import GroupValue, has_all, value_names, with_values
from findings.explorer.search import Search, Within
from findings.facts import Severity, Ticket
from findings.models import Finding

_ATTACHED = Q(ticket__in=[ticket.value for ticket in Ticket if ticket.is_attached])
_BY_RANK = {severity.rank: severity.value for severity in Severity}
MOST_ON_A_TICKET = 1_000
SHOWN_AT_FIRST, SHOWN_MORE = 4, 50  # findings of a group that is opened
_PLACES = {
    "container_image": "image",
    "host": "host",
    "file": "file",
    "service": "service",
}
_NOT_READ = ("description", "digest", "fingerprint")


class Group(NamedTuple):
    """What findings with the same values have together; `values` is empty for the lone ones."""

    values: tuple[str, ...]
    number: int
    worst: str
    places: int
    repositories: int
    place_type: str  # the resource type of all of them, or ""
    ticketed: int
    tickets: int  # different ones
    vulnerabilities: Sequence[str]  # two at most
    vulnerability_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    newest: Finding | None  # tells what the group is about; None: it is gone by now
    newest_ticketed: Finding | None
    label: Label

    @property
    def within(self) -> Within:
        return Within(groups=(self.values,)) if self.values else Within(lone=True)

    @property
    def finding(self) -> Finding | None:
        """Whose ticket is shown."""
        return self.newest_ticketed

    @property
    def tickets_to_come(self) -> int:
        """How many "one ticket for each group" makes of it."""
        free = self.number - self.ticketed
        return -(-free // MOST_ON_A_TICKET) if self.values else free

    @property
    def more_tickets(self) -> int:
        return max(0, self.tickets - 1)

    @property
    def more_vulnerabilities(self) -> int:
        return self.vulnerability_count - len(self.vulnerabilities)

    @property
    def more_shown(self) -> int:
        """Of those that are not shown at first, as many as are shown then."""
        return min(self.number, SHOWN_MORE) - SHOWN_AT_FIRST

    @property
    def has_every_ticket(self) -> bool:
        return self.ticketed == self.number

    @property
    def place_noun(self) -> str:
        """ "images" where all are; a file, a service and a host together are places."""
        noun = _PLACES.get(self.place_type, "resource" if not self.values else "place")
        return noun if self.places == 1 else f"{noun}s"


class GroupPage(NamedTuple):
    groups: Sequence[Group]
    lone: Group | None
    number: int  # of the page, from 1
    size: int
    total: int  # groups
    findings: int  # in groups

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size + 1

    @property
    def end(self) -> int:
        return self.start + len(self.groups) - 1

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1 if self.number * self.size < self.total else 0

    @property
    def ticketed(self) -> Sequence[Group]:
        return [group for group in self.rows if group.newest_ticketed]

    @property
    def rows(self) -> Sequence[Group]:
        return [*self.groups, *([self.lone] if self.lone else [])]


def page_of_groups(search: Search, *, number: int, size: int) -> GroupPage:
    """Four statements; a page beyond the last is the last."""
    names = search.group
    found = with_values(search.findings().order_by(), names)
    total, findings = _totals(found, names)
    number = max(1, min(number, -(-total // size)))
    start = (number - 1) * size
    columns = value_names(names)
    grouped = found.filter(has_all(names)).values(*columns).annotate(**_facts())
    ordered = grouped.order_by("-worst", "-number", *columns)
    rows = list(ordered[start : start + size])
    lone = found.exclude(has_all(names)).aggregate(**_facts())
    groups = _told([*rows, *([lone] if lone["number"] else [])], search)
    alone = groups.pop() if lone["number"] else None
    return GroupPage(groups, alone, number, size, total, findings)


def group_of(search: Search) -> Group | None:
    """All that the search finds, which is within one group, as that group. Two statements."""
    found = search.findings().order_by().aggregate(**_facts())
    if not found["number"]:
        return None
    groups = search.within.groups if search.within else ()
    values = dict(zip(value_names(search.group), groups[0], strict=True)) if groups else {}
    return _told([values | found], search)[0]


def _totals(found: QuerySet[Finding], names: Sequence[str]) -> tuple[int, int]:
    grouped = found.filter(has_all(names)).values(*value_names(names)).annotate(number=Count("pk"))
    counted = grouped.aggregate(groups=Count("number"), findings=Sum("number"))
    return counted["groups"], counted["findings"] or 0


def _facts() -> dict[str, Aggregate]:
    nothing = Value("", output_field=TextField())
    known_as = NullIf(GroupValue("vulnerability"), nothing)
    kept_in = NullIf(GroupValue("repository"), nothing)
    return {
        "number": Count("pk"),
        "worst": Max("severity_rank"),
        "places": Count("resource_id", distinct=True),
        "repositories": Count(kept_in, distinct=True),
        "first_type": Min("resource_type"),
        "last_type": Max("resource_type"),
        "ticketed": Count("pk", filter=_ATTACHED),
        "tickets": Count("ticket_key", filter=_ATTACHED & ~Q(ticket_key=""), distinct=True),
        "first_known_as": Min(known_as),
        "last_known_as": Max(known_as),
        "vulnerability_count": Count(known_as, distinct=True),
        "first_seen_at": Min("first_seen_at"),
        "last_seen_at": Max("last_seen_at"),
        "newest": Max("pk"),
        "newest_ticketed": Max("pk", filter=_ATTACHED),
    }


def _told(rows: Sequence[dict[str, Any]], search: Search) -> list[Group]:
    pks = {row[name] for row in rows for name in ("newest", "newest_ticketed")}
    told = Finding.objects.select_related("source").defer(*_NOT_READ).in_bulk(pks - {None})
    return [_group(row, told, search) for row in rows]


def _group(row: dict[str, Any], told: dict[int, Finding], search: Search) -> Group:
    columns = value_names(search.group)
    values = tuple(row[column] for column in columns) if columns[0] in row else ()
    newest = told.get(row["newest"])
    names = dict.fromkeys(filter(None, (row["first_known_as"], row["last_known_as"])))
    return Group(
        values=values,
        number=row["number"],
        worst=_BY_RANK[row["worst"]],
        places=row["places"],
        repositories=row["repositories"],
        place_type=row["first_type"] if row["first_type"] == row["last_type"] else "",
        ticketed=row["ticketed"],
        tickets=row["tickets"],
        vulnerabilities=tuple(names),
        vulnerability_count=row["vulnerability_count"],
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        newest=newest,
        newest_ticketed=told.get(row["newest_ticketed"]),
        label=label_of(search.group, values, newest),
    )
