"""Reads of a case's findings: a page of them, the worst first, and what is left of them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Case as Choice
from django.db.models import Count, Max, Value, When

from config.lib.numbered_pages import NumberedPage, nearest_page, rows_of
from findings.facts import GONE_STATUSES, Status
from ticketing.models import Attachment, Case

_COLUMNS = (
    *("finding__finding_id", "finding__title", "finding__severity", "finding__status"),
    *("finding__resource_id", "finding__resource_name"),
    *("finding__grouping__repository", "finding__grouping__vulnerability"),
    *("finding__attributes__package__version", "created_at"),
)
_GONE_LAST = Choice(When(finding__status__in=GONE_STATUSES, then=Value(1)), default=Value(0))
_WORDS = {
    Status.OPEN: "open",
    Status.IN_PROGRESS: "in progress",
    Status.MUTED: "muted",
    Status.RESOLVED: "resolved",
    Status.AUTO_CLOSED: "auto-closed",
}


class LinkedFinding(NamedTuple):
    """A finding on a case, as its row says it."""

    finding_id: str
    title: str
    severity: str
    status: str
    resource_id: str
    resource_name: str
    in_repository: Any
    vulnerability: str | None
    in_version: Any
    added_at: datetime

    @property
    def place(self) -> str:
        return self.resource_name or self.resource_id

    @property
    def repository(self) -> str:
        """`acme/api` of `github.com/acme/api`."""
        name = self.in_repository or ""
        host, _, path = name.partition("/")
        return path if "." in host and "/" in path else name

    @property
    def version(self) -> str:
        return self.in_version if isinstance(self.in_version, str) else ""


@dataclass(frozen=True, slots=True)
class LinkedFindings(NumberedPage[LinkedFinding]):
    """A page of a case's findings."""

    counts: Mapping[str, int]  # of all of them, by status
    last_added_at: datetime | None

    @property
    def statuses(self) -> list[tuple[str, str, int]]:
        """(status, in words, how many) of those that there are, in the order of work."""
        found = ((status, words, self.counts.get(status, 0)) for status, words in _WORDS.items())
        return [each for each in found if each[2]]

    @property
    def has_versions(self) -> bool:
        return any(row.version for row in self.rows)

    @property
    def has_vulnerabilities(self) -> bool:
        return any(row.vulnerability for row in self.rows)


def linked_findings(case: Case, *, page: int = 1) -> LinkedFindings:
    """Two statements, however many there are."""
    attached = Attachment.objects.filter(case=case)
    counted = list(
        attached.order_by()
        .values_list("finding__status")
        .annotate(number=Count("pk"), last=Max("created_at"))
    )
    counts = {status: number for status, number, _ in counted}
    total = sum(counts.values())
    number = nearest_page(page, total=total)
    ordered = attached.order_by(_GONE_LAST, "-finding__severity_rank", "finding__title", "pk")
    rows = ordered.values_list(*_COLUMNS)[rows_of(number)]
    return LinkedFindings(
        [LinkedFinding(*row) for row in rows],
        number,
        total,
        counts,
        max((last for *_, last in counted), default=None),
    )
