"""The one order in which findings and cases are locked: findings first, then cases, each by pk.

Two transactions that both follow it cannot wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet

from findings import services as findings
from findings.models import Finding
from ticketing.models import ASSIGNEES, Attachment, Case

AT_ONCE = 2_000
"""Findings in a transaction that changes many cases, each with up to a thousand: who wants one of
them waits for it, on SQLite everybody who writes."""


class Locked(NamedTuple):
    findings: dict[int, Finding]  # those asked for, and all that are attached to the cases
    cases: dict[UUID, Case]  # those asked for, and those the findings are on; with project


def lock(*, finding_pks: Collection[int] = (), case_pks: Collection[UUID] = ()) -> Locked:
    """Lock these findings and cases, and whatever a change of them may touch."""
    while True:
        start = transaction.savepoint()
        locked = _lock_what_is_there(finding_pks, case_pks)
        if locked.findings.keys() >= set(_findings_of(locked.cases)):
            transaction.savepoint_commit(start)
            return locked
        # Until the cases were ours, a finding could still come to them. Locking it now would
        # be out of order (and was seen to deadlock): let go of everything and look again.
        transaction.savepoint_rollback(start)


def _lock_what_is_there(finding_pks: Collection[int], case_pks: Collection[UUID]) -> Locked:
    cases = {*case_pks, *_cases_of(finding_pks)}
    rows = findings.lock(sorted({*finding_pks, *_findings_of(cases)}))
    # Read again: until the lock was ours, a finding could still move to another case.
    cases |= set(_cases_of(finding_pks))
    locked = (
        # Not against rows that merely name the case, as a line of its timeline does: who writes
        # one may hold the case's issue, for which we shall wait.
        Case.objects.select_for_update(no_key=True)
        .filter(pk__in=cases)
        .order_by("pk")
        # No join: a case that moves while we wait for it no longer joins the project that
        # PostgreSQL read before the wait, and would be left out of the answer.
        .prefetch_related("project", *ASSIGNEES)
    )
    return Locked({row.pk: row for row in rows}, {case.pk: case for case in locked})


def _cases_of(finding_pks: Collection[int]) -> QuerySet[Attachment, UUID]:
    return Attachment.objects.filter(finding__in=finding_pks).values_list("case_id", flat=True)


def _findings_of(case_pks: Collection[UUID]) -> QuerySet[Attachment, int]:
    return Attachment.objects.filter(case__in=case_pks).values_list("finding_id", flat=True)


def portion(case_pks: Sequence[UUID]) -> Sequence[UUID]:
    """The first of these cases, with as many findings as may be locked at once; one at least."""
    attached = Attachment.objects.filter(case__in=case_pks).order_by().values_list("case")
    sizes = dict(attached.annotate(Count("pk")))
    ends = accumulate(sizes.get(pk, 0) for pk in case_pks)
    return case_pks[: max(1, sum(end <= AT_ONCE for end in ends))]
