"""How full the daily limits of rules were, over twelve weeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from automation.models import DailyUsage, Rule
from automation.rules.data import known_action
from config.lib.utc import weekday_text
from config.site.overview.links import cases
from config.site.overview.rules import RULES
from config.site.overview.span import utc_today
from findings.grouping import label_of

WEEKS = 12
WIDTH = 10
TOP, TALL = 2, 28  # of a day at its limit


class Week(NamedTuple):
    """The fullest day of one."""

    day: date
    ticketed: int
    is_full: bool
    label: str
    href: str
    x: int
    y: float
    height: float


class _Day(NamedTuple):
    """What a rule did on one."""

    rule_id: UUID
    day: date
    ticketed: int = 0
    over_limit: int = 0


@dataclass(frozen=True, slots=True)
class LimitUse:
    rule: Rule
    number: int
    limit: int
    grouping: str
    weeks: Sequence[Week]
    full_days: int

    @property
    def fullest(self) -> Week:
        return max(self.weeks, key=lambda week: week.ticketed)

    @property
    def peak(self) -> int:
        """Percent of the limit there is now."""
        return round(100 * self.fullest.ticketed / self.limit) if self.limit else 0


def limit_use(rules: Sequence[Rule]) -> list[LimitUse]:
    """Of the first rules; one statement."""
    last = utc_today()
    first = last - timedelta(days=7 * WEEKS - 1)
    shown = rules[:RULES]
    usages = DailyUsage.objects.filter(rule_id__in=[rule.pk for rule in shown], day__gte=first)
    rows = usages.order_by().values_list("rule_id", "day", "ticketed", "over_limit")
    by_day = {row[:2]: _Day(*row) for row in rows}
    return [_use(rule, number, by_day, first) for number, rule in enumerate(shown, 1)]


def _use(
    rule: Rule, number: int, usages: Mapping[tuple[UUID, date], _Day], first: date
) -> LimitUse:
    action = known_action(rule)
    limit = action.max_tickets_per_day if action else 0
    days = [first + timedelta(days=after) for after in range(7 * WEEKS)]
    used = [usages.get((rule.pk, day)) or _Day(rule.pk, day) for day in days]
    weeks = [
        _week(nth, max(used[7 * nth : 7 * nth + 7], key=lambda usage: usage.ticketed), limit)
        for nth in range(WEEKS)
    ]
    grouping = label_of(action.grouping) if action and action.grouping else ""
    return LimitUse(rule, number, limit, grouping, weeks, sum(_is_full(u, limit) for u in used))


def _week(nth: int, usage: _Day, limit: int) -> Week:
    share = min(1, usage.ticketed / limit) if limit else 0
    height = max(round(TALL * share, 2), 1) if usage.ticketed else 0
    label = f"{weekday_text(usage.day)} · {usage.ticketed:,} of {limit:,} tickets"
    href = cases(f"rule:{usage.rule_id} origin:rule created:{usage.day}")
    y = round(TOP + TALL - height, 2)
    return Week(
        usage.day, usage.ticketed, _is_full(usage, limit), label, href, nth * WIDTH + 1, y, height
    )


def _is_full(usage: _Day, limit: int) -> bool:
    """By the limit of then, where a finding went without a ticket; by that of now."""
    return usage.over_limit > 0 or 0 < limit <= usage.ticketed
