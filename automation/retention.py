"""How long what rules decided is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from automation.models import DailyUsage, Decision, TestRun
from config.lib.retention import RowKind, Table, register

_Outcome = Decision.Outcome
PROMISES = (_Outcome.TICKETED, _Outcome.GROUPED)
"""They explain a ticket, which stays."""


def _is_not_the_last() -> Q:
    """Of its finding and kind; one whose finding is gone explains nothing."""
    newer = Decision.objects.filter(
        finding=OuterRef("finding"), kind=OuterRef("kind"), pk__gt=OuterRef("pk")
    )
    return Q(finding=None) | Q(Exists(newer))


def note_missing_decisions(pks: Sequence[int]) -> None:
    """What was counted for a rule and a day is more than its decisions from now on."""
    days: dict[date, set[UUID]] = {}
    gone = Decision.objects.filter(pk__in=pks).order_by()
    for day, rule_id in gone.values_list("day", "rule_id").distinct():
        if rule_id:
            days.setdefault(day, set()).add(rule_id)
    for day, rules in sorted(days.items()):
        usage = DailyUsage.objects.filter(day=day, rule_id__in=rules, are_decisions_deleted=False)
        usage.update(are_decisions_deleted=True)


register(
    RowKind(
        "decisions",
        "Decisions",
        days=365,
        least_days=90,
        why="The last one of each kind stays with its finding, and what explains a ticket with it.",
        tables=[
            Table(
                Decision,
                "created_at",
                ~Q(outcome__in=PROMISES) & _is_not_the_last(),
                before_delete=note_missing_decisions,
            )
        ],
    ),
    RowKind(
        "rule_tests",
        "Tests of rules",
        days=30,
        why="The ticket that a test made stays.",
        tables=[Table(TestRun, "created_at", ~Q(state=TestRun.State.RUNNING), by_age=True)],
        chunk=200,
    ),
)
