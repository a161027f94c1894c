"""Reads of findings."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Q, QuerySet

from config.accounts.models import User
from config.lib.ui_tags import MOST_COUNTED
from findings.facts import GONE_STATUSES, OPEN_STATUSES
from findings.models import Finding, SavedView
from findings.query.ast import Query
from findings.query.sql import condition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 2**63 - 1


def unevaluated() -> QuerySet[Finding]:
    """Findings that wait for a decision. One that is gone waits until it opens again."""
    return Finding.objects.filter(unevaluated_since__isnull=False).exclude(status__in=GONE_STATUSES)


def open_finding_count() -> int:
    """How many findings are open; one more than MOST_COUNTED for any number beyond."""
    found = Finding.objects.filter(status__in=OPEN_STATUSES)
    return found.order_by()[: MOST_COUNTED + 1].count()


class Order(StrEnum):
    NEWEST = "-@detection_changed_at"
    OLDEST = "@detection_changed_at"


class Cursor(NamedTuple):
    """The last finding of a page: the next one starts after it, whatever arrived meanwhile."""

    changed_at: datetime
    pk: int

    @classmethod
    def of(cls, finding: Finding) -> Cursor:
        return cls(finding.detection_changed_at, finding.pk)

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Raises ValueError for what `str(cursor)` never gave."""
        try:
            microseconds, pk = map(int, urlsafe_b64decode(text).split(b"."))
            changed_at = _EPOCH + timedelta(microseconds=microseconds)
        except (ValueError, OverflowError):
            raise ValueError("no cursor of ours") from None
        if not 0 < pk <= _LARGEST:
            raise ValueError("no cursor of ours")
        return cls(changed_at, pk)

    def __str__(self) -> str:
        microseconds = (self.changed_at - _EPOCH) // timedelta(microseconds=1)
        return urlsafe_b64encode(f"{microseconds}.{self.pk}".encode()).decode()


class Page(NamedTuple):
    findings: Sequence[Finding]
    after: Cursor | None  # None: this is the last page


def page_of_findings(
    query: Query, *, order: Order = Order.NEWEST, after: Cursor | None = None, limit: int
) -> Page:
    """`limit` findings that match, from `after` on; one statement."""
    findings = Finding.objects.filter(condition(query.root))
    if after is not None:
        findings = findings.filter(_behind(after, order))
    columns = ("detection_changed_at", "pk")
    if order is Order.NEWEST:
        columns = ("-detection_changed_at", "-pk")
    found = list(findings.order_by(*columns)[: limit + 1])
    page = found[:limit]
    return Page(page, Cursor.of(page[-1]) if len(found) > limit else None)


def _behind(cursor: Cursor, order: Order) -> Q:
    side = "lt" if order is Order.NEWEST else "gt"
    # The first condition is implied by the second and lets the index find the place.
    return Q((f"detection_changed_at__{side}e", cursor.changed_at)) & (
        Q((f"detection_changed_at__{side}", cursor.changed_at)) | Q((f"pk__{side}", cursor.pk))
    )


def finding_by_id(finding_id: str) -> Finding | None:
    """By the public id."""
    return Finding.objects.filter(finding_id=finding_id).first()


def findings_by_id(finding_ids: Iterable[str]) -> dict[str, Finding]:
    """By the public id; those that do not exist are left out. One statement."""
    found = Finding.objects.filter(finding_id__in=set(finding_ids)).defer("description")
    return {finding.finding_id: finding for finding in found}


def views_of(user: User) -> QuerySet[SavedView]:
    """The saved views that the person sees: their own and the shared ones."""
    return SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")
