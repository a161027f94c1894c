"""Which existing findings the rules look at again."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from findings.facts import GONE_STATUSES
from findings.models import Evaluation, Finding
from findings.services import CLAIMED, Claimed


def claim_for_recheck(*, after_pk: int = 0, limit: int, only_marked: bool = False) -> list[Claimed]:
    """The next findings by primary key that are not closed and wait for no evaluation, locked
    until the transaction ends; an empty list is the end. Call inside a transaction.

    None is skipped: what somebody else holds is waited for. `only_marked` are those of which what
    rules see has changed; the marks of what is claimed are taken off.
    """
    waiting = _waiting(only_marked=only_marked)
    while pks := _next(waiting.filter(pk__gt=after_pk), limit):
        claimed = _lock(waiting, pks)
        if claimed:
            marked = Evaluation.objects.filter(finding__in=[finding.pk for finding in claimed])
            marked.filter(recheck_since__isnull=False).update(recheck_since=None)
            return claimed
        after_pk = pks[-1]  # all of them were closed, or went to be evaluated, meanwhile
    return []


def recheck_count(*, most: int | None = None) -> int:
    """How many findings a whole pass looks at; no further than `most` are counted."""
    return _waiting(only_marked=False).order_by()[:most].count()


def evaluated_findings() -> QuerySet[Finding]:
    """What a whole pass looks at: neither closed, nor waiting to be evaluated."""
    # With an evaluation, so that the tables are joined in a way that can be locked.
    settled = Finding.objects.filter(evaluation__isnull=False, evaluation__unevaluated_since=None)
    return settled.exclude(status__in=GONE_STATUSES)


def _waiting(*, only_marked: bool) -> QuerySet[Finding]:
    here = evaluated_findings()
    return here.filter(evaluation__recheck_since__isnull=False) if only_marked else here


def _next(waiting: QuerySet[Finding], limit: int) -> list[int]:
    return list(waiting.order_by("pk").values_list("pk", flat=True)[:limit])


def _lock(waiting: QuerySet[Finding], pks: Sequence[int]) -> list[Claimed]:
    rows = (
        waiting.filter(pk__in=pks)
        .order_by("pk")  # whoever locks findings locks them in this order
        .select_for_update(no_key=True)
        .values_list(*CLAIMED)
    )
    return list(map(Claimed.read, rows))
