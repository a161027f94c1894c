"""Findings that were gone and are there again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Greatest

from findings.facts import Status, Ticket
from findings.models import Evaluation, Finding


def open_again(pks: Sequence[int], *, now: datetime, **values: Any) -> None:
    """Gone findings ask for work again: evaluated anew unless a case follows them already.

    One that was never evaluated still is, case or not: every finding gets its decision. Rules
    that act on what exists look at all of them. `values` are columns that change with it.
    """
    if not pks:
        return
    was_over_limit = Q(ticket=Ticket.OVER_LIMIT)
    # Each evaluation of a finding has a time of its own, even where a clock goes back: of two
    # decisions for one time the database refuses the second, and with it all beside it.
    later = Greatest(Value(now), F("opened_at") + timedelta(microseconds=1))
    Finding.objects.filter(pk__in=pks).update(
        **{"status": Status.OPEN, **values},
        opened_at=later,
        detection_changed_at=now,
        resolved_at=None,
        ticket=Case(When(was_over_limit, then=Value(Ticket.NONE)), default=F("ticket")),
        ticket_rule_id=Case(When(was_over_limit, then=None), default=F("ticket_rule_id")),
    )
    opened = Finding.objects.filter(pk=OuterRef("finding_id"))
    has_case = Exists(opened.filter(ticket__in=[t for t in Ticket if t.is_attached]))
    Evaluation.objects.filter(finding__in=pks).update(
        recheck_since=now,
        unevaluated_since=Case(
            When(has_case, unevaluated_since=None, then=None),
            default=Subquery(opened.values("opened_at")),
        ),
    )
