"""A search's findings in groups: one page of them, the worst and largest first.

A page takes two statements, however many findings and groups there are: its groups, and the
findings that each is told by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from findings.explorer import columnar_groups
from findings.explorer.group_labels import Label, label_of
from findings.explorer.group_sql import read_page
from findings.explorer.search import Search, Within
from findings.facts import Severity
from findings.models import Finding

_BY_RANK = {severity.rank: severity.value for severity in Severity}
MOST_ON_A_TICKET = 1_000
SHOWN_AT_FIRST, SHOWN_MORE = 4, 50  # findings of a group that is opened
_PLACES = {
    "container_image": "image",
    "host": "host",
    "file": "file",
    "service": "service",
}
_TELLS = ("title", "resource_id", "resource_name", "attributes")
_HAS_TICKET = ("finding_id", "ticket", "ticket_key", "ticket_status", "workflow")
"""Read of the findings that groups are told by, and of no other thing of theirs."""


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
    """Two statements, or one; a page beyond the last is the last."""
    rows = columnar_groups.read_page(search, search.group, number=number, size=size)
    if rows is None:
        rows = read_page(search.findings(), search.group, number=number, size=size)
    groups = _told(rows, search)
    lone = groups.pop() if groups and not groups[-1].values else None
    if not rows:
        return GroupPage((), None, 1, size, 0, 0)
    [first, *_] = rows
    page = first["start"] // size + 1
    return GroupPage(groups, lone, page, size, first["total"], first["in_groups"])


def group_of(search: Search) -> Group | None:
    """All that the search finds, which is within one group, as that group. Two statements."""
    return next(iter(page_of_groups(search, number=1, size=1).rows), None)


def _told(rows: Sequence[dict[str, Any]], search: Search) -> list[Group]:
    pks = {row[name] for row in rows for name in ("newest", "newest_ticketed")}
    told = Finding.objects.only(*_TELLS, *_HAS_TICKET).in_bulk(pks - {None})
    return [_group(row, told, search) for row in rows]


def _group(row: dict[str, Any], told: dict[int, Finding], search: Search) -> Group:
    values = tuple(row[f"key_{nth}"] for nth, _ in enumerate(search.group))
    values = values if all(values) else ()
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
