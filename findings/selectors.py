"""Reads of findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet, prefetch_related_objects
from django.utils import timezone

from config.accounts.models import User
from config.lib.keyset import Keyset, Moment, Whole
from config.lib.ui_tags import MAX_COUNTED
from config.lib.utc import microseconds
from findings.columnar.matching import matching
from findings.columnar.pinned import current
from findings.columnar.selection import Selection, counted, places_in_order
from findings.columnar.table import Table
from findings.facts import GONE_STATUSES, OPEN_STATUSES, Facts, Ticket
from findings.models import ArchivedFinding, Evaluation, Finding, FindingEvent, SavedView
from findings.query.ast import And, Query
from findings.query.sql import condition

_CURSOR = Keyset(Moment(), Whole(1))


def unevaluated() -> QuerySet[Finding]:
    """Findings that wait for a decision. One that is gone waits until it opens again."""
    waiting = Finding.objects.filter(evaluation__unevaluated_since__isnull=False)
    return waiting.exclude(status__in=GONE_STATUSES)


def waiting_pks(pks: Sequence[int]) -> set[int]:
    """Those of them that have no decision yet, gone or not. One statement."""
    waiting = Evaluation.objects.filter(unevaluated_since__isnull=False, finding__in=pks)
    return set(waiting.order_by().values_list("pk", flat=True))


def open_finding_count() -> int:
    """How many findings are open; one more than MAX_COUNTED for any number beyond."""
    found = Finding.objects.filter(status__in=OPEN_STATUSES)
    return found.order_by()[: MAX_COUNTED + 1].count()


def archived_count() -> int:
    """How many findings are archived; one more than MAX_COUNTED for any number beyond."""
    return ArchivedFinding.objects.order_by()[: MAX_COUNTED + 1].count()


def archived_of_case(case_id: UUID) -> int:
    return ArchivedFinding.objects.filter(case_id=case_id).count()


def archived_finding(finding_id: str) -> ArchivedFinding | None:
    return ArchivedFinding.objects.filter(finding_id=finding_id).first()


def over_limit_counts(*, since: datetime) -> dict[UUID | None, int]:
    """Rule → findings without a ticket because of its daily limit, decided since then. One
    statement, or none.

    The same rows as the explorer's search for them: ticketed by hand, one is not among them.
    """
    if table := current():
        return _over_limit_of(table, since)
    found = Finding.objects.filter(ticket=Ticket.OVER_LIMIT, evaluation__decided_at__gte=since)
    counts = found.order_by().values_list("ticket_rule_id").annotate(number=Count("pk"))
    return dict(counts)


def _over_limit_of(table: Table, since: datetime) -> dict[UUID | None, int]:
    over = table.of_profiles(table.profiles_with("ticket", [Ticket.OVER_LIMIT]))
    over &= table.alive & (table.moments("decided_at") >= microseconds(since))
    rules = table.profile_column("ticket_rule_id")
    codes, numbers = counted(rules.codes[table.profile_codes.values[over]])
    return {
        UUID(rule) if (rule := rules.entries[code]) else None: number
        for code, number in zip(codes.tolist(), numbers.tolist(), strict=True)
    }


def opened_by_people(pks: Sequence[int]) -> set[int]:
    """Those of these open findings that a person, or a key, opened last; no report, and no end
    of a mute. One statement."""
    kinds = FindingEvent.Kind
    opened = Q(kind__in=[kinds.REOPENED, kinds.UNMUTED]) | Q(
        kind=kinds.STATUS, after__in=OPEN_STATUSES
    )
    by_person = Q(actor__isnull=False) | ~Q(key_name="")
    last = (
        FindingEvent.objects.filter(opened, finding__in=pks)
        .order_by()
        .values_list("finding")
        .annotate(at=Max("created_at"), by_person=Max("created_at", filter=by_person))
    )
    return {pk for pk, at, person_at in last if at == person_at}


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
        """Raises BadKeyset for what `str(cursor)` never gave."""
        return cls(*_CURSOR.read(text))

    def __str__(self) -> str:
        return _CURSOR.write(*self)


class Page(NamedTuple):
    findings: Sequence[Finding]
    after: Cursor | None  # None: this is the last page


def page_of_findings(
    query: Query, *, order: Order = Order.NEWEST, after: Cursor | None = None, limit: int
) -> Page:
    """`limit` findings that match, from `after` on; one statement."""
    pks = _pks_in_order(query, order=order, after=after, most=limit + 1)
    if pks is not None:
        read = Finding.objects.order_by().select_related("evaluation").in_bulk(pks[:limit])
        page = [read[pk] for pk in pks if pk in read]
        return Page(page, Cursor.of(page[-1]) if page and len(pks) > limit else None)
    findings = Finding.objects.filter(condition(query.root)).select_related("evaluation")
    if after is not None:
        findings = findings.filter(_behind(after, order))
    columns = ("detection_changed_at", "pk")
    if order is Order.NEWEST:
        columns = ("-detection_changed_at", "-pk")
    found = list(findings.order_by(*columns)[: limit + 1])
    page = found[:limit]
    return Page(page, Cursor.of(page[-1]) if len(found) > limit else None)


def finding_count(query: Query) -> int:
    """How many findings match, all of them counted."""
    rows = _rows(query)
    return rows[1].number if rows else Finding.objects.filter(condition(query.root)).count()


def _rows(query: Query) -> tuple[Table, Selection] | None:
    """None where the columns in memory cannot tell what matches."""
    table = current()
    mask = matching(table, query.root, timezone.now()) if table else None
    return None if table is None or mask is None else (table, Selection(mask))


def _pks_in_order(
    query: Query, *, order: Order, after: Cursor | None, most: int
) -> list[int] | None:
    if query.root == And(()) or (found := _rows(query)) is None:
        return None  # everything: the index of the order is as fast
    table, rows = found
    places = places_in_order(
        rows.places,
        [table.moments("detection_changed_at").__getitem__, table.pks.__getitem__],
        is_descending=order is Order.NEWEST,
        after=(microseconds(after.changed_at), after.pk) if after is not None else None,
        most=most,
    )
    pks: list[int] = table.pks[places].tolist()
    return pks


def _behind(cursor: Cursor, order: Order) -> Q:
    side = "lt" if order is Order.NEWEST else "gt"
    # The first condition is implied by the second and lets the index find the place.
    return Q((f"detection_changed_at__{side}e", cursor.changed_at)) & (
        Q((f"detection_changed_at__{side}", cursor.changed_at)) | Q((f"pk__{side}", cursor.pk))
    )


def finding_by_id(finding_id: str) -> Finding | None:
    """By the public id. No statement for none."""
    if not finding_id:
        return None
    return Finding.objects.filter(finding_id=finding_id).select_related("evaluation").first()


def facts_of(findings: Sequence[Finding]) -> list[Facts]:
    """One statement, for those that were read without their evaluation; in their order."""
    prefetch_related_objects(findings, "evaluation")
    return [finding.facts for finding in findings]


def findings_by_id(finding_ids: Iterable[str]) -> dict[str, Finding]:
    """By the public id; those that do not exist are left out. One statement."""
    found = Finding.objects.filter(finding_id__in=set(finding_ids)).defer("description")
    return {finding.finding_id: finding for finding in found}


def views_of(user: User, page: SavedView.Page) -> QuerySet[SavedView]:
    """The saved views of a page that the person sees: their own and the shared ones."""
    seen = SavedView.objects.filter(Q(owner=user) | Q(is_shared=True), page=page)
    return seen.select_related("owner")
