"""Where a rule drowns, and one ticket per package (or the like) would not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from automation.forms.grouping import initial_grouping
from automation.models import Rule
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

    @property
    def label(self) -> str:
        return label_of([self.field])

    @property
    def query(self) -> str:
        """What opens the rule's editor with the grouping chosen."""
        return urlencode(initial_grouping([self.field], reopens=False))


def grouping_advice(rules: Sequence[Rule]) -> GroupingAdvice | None:
    """For the ticket rule with the most findings over its limit today; two statements, or one.

    `rules` are the ticket rules, in order.
    """
    found = Finding.objects.filter(
        ticket=Ticket.OVER_LIMIT, decided_at__gte=midnight(timezone.now())
    )
    counts: dict[UUID | None, int] = dict(
        found.order_by().values_list("ticket_rule_id").annotate(number=Count("pk"))
    )
    drowning = max(
        ((number, rule) for number, rule in enumerate(rules, 1) if _may_group(rule, counts)),
        key=lambda each: counts[each[1].pk],
        default=None,
    )
    if drowning is None:
        return None
    number, rule = drowning
    over = counts[rule.pk]
    tickets, field = min(_tickets_of(found.filter(ticket_rule_id=rule.pk)))
    if tickets * WORTH_IT > over:
        return None
    return GroupingAdvice(rule, number, over, tickets, field)


def _may_group(rule: Rule, counts: dict[UUID | None, int]) -> bool:
    action = known_action(rule)
    return bool(
        rule.enabled
        and counts.get(rule.pk, 0) >= WORTH_IT
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
