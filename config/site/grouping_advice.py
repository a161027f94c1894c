"""Where a rule drowns, and one ticket per package (or the like) would not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from automation.forms.grouping import initial_grouping
from automation.models import Rule
from automation.rules.advice import rules_without_advice
from automation.rules.data import known_action
from config.lib.utc import midnight
from findings.explorer.group_values import GroupValue
from findings.facts import Ticket
from findings.grouping import label_of
from findings.models import Finding

OFFERED = ("package", "vulnerability", "rule", "resource")
WORTH_IT = 5  # findings over the limit for each ticket there would be, on average


class GroupingAdvice(NamedTuple):
    rule: Rule
    number: int  # from 1
    over_limit: int  # findings, today
    tickets: int  # that they would have come to
    field: str
    limit: int

    @property
    def label(self) -> str:
        return label_of([self.field])

    @property
    def query(self) -> str:
        """What opens the rule's editor with the grouping chosen."""
        return urlencode(initial_grouping([self.field], reopens=False))


def grouping_advice(
    rules: Sequence[Rule], over_limit: Mapping[UUID | None, int]
) -> GroupingAdvice | None:
    """For the ticket rule with the most findings over its limit today, but for those nobody wants
    advice about; two statements at most.

    `rules` are the ticket rules, in order; `over_limit` are their findings over the limit today.
    """
    asked = [(number, rule) for number, rule in enumerate(rules, 1) if _may_group(rule, over_limit)]
    unwanted = rules_without_advice() if asked else ()
    drowning = max(
        ((number, rule) for number, rule in asked if rule.pk not in unwanted),
        key=lambda each: over_limit[each[1].pk],
        default=None,
    )
    if drowning is None:
        return None
    number, rule = drowning
    over = over_limit[rule.pk]
    tickets, field = min(_tickets_of(_over_limit_today(rule)))
    if tickets * WORTH_IT > over:
        return None
    action = known_action(rule)
    limit = action.max_tickets_per_day if action else 0
    return GroupingAdvice(rule, number, over, tickets, field, limit)


def _over_limit_today(rule: Rule) -> QuerySet[Finding]:
    """As `over_limit_counts` counts them."""
    return Finding.objects.filter(
        ticket=Ticket.OVER_LIMIT,
        ticket_rule_id=rule.pk,
        evaluation__decided_at__gte=midnight(timezone.now()),
    )


def _may_group(rule: Rule, over_limit: Mapping[UUID | None, int]) -> bool:
    action = known_action(rule)
    return bool(
        rule.enabled
        and over_limit.get(rule.pk, 0) >= WORTH_IT
        and action is not None
        and not action.grouping
    )


def _tickets_of(over_limit: QuerySet[Finding]) -> list[tuple[int, str]]:
    """How many tickets these findings would come to by each field; what lacks it has its own."""
    values = over_limit.annotate(**{f"of_{name}": GroupValue(name) for name in OFFERED})
    counts = values.aggregate(
        **{f"groups_{name}": Count(f"of_{name}", distinct=True) for name in OFFERED},
        **{f"alone_{name}": Count("pk", filter=Q(**{f"of_{name}": ""})) for name in OFFERED},
    )
    return [
        (counts[f"groups_{name}"] - bool(counts[f"alone_{name}"]) + counts[f"alone_{name}"], name)
        for name in OFFERED
    ]
