"""What rules do on the present UTC day of the daily limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from automation.engine.shadow import shadowed_by
from automation.kinds.ticket_creation.action import NAME
from automation.models import DailyUsage, Rule
from automation.rules.data import known_action, spec_of
from config.lib.utc import midnight
from config.site.overview.links import cases, findings
from config.site.overview.span import utc_today
from findings.selectors import over_limit_counts
from ticketing.models import Project

TICKETS = NAME
RULES = 8  # shown; the rest is on the rules page


@dataclass(frozen=True, slots=True)
class RuleToday:
    rule: Rule
    limit: int
    number: int
    place: str  # the project's key
    usage: DailyUsage
    is_shadowed: bool

    @property
    def href(self) -> str:
        return cases(f"rule:{self.rule.pk} origin:rule created:{self.usage.day}")


@dataclass(frozen=True, slots=True)
class Today:
    """The present UTC day of the daily limits."""

    rules: Sequence[RuleToday]
    day: date
    tickets: int  # of all rules
    tickets_of_others: int  # of these: of rules that are disabled, broken or deleted by now
    allowed: int  # of the rules that are enabled
    over_limit: int  # findings without a ticket, decided today
    over_limit_rules: Sequence[str]  # one for each, gone or not

    @property
    def tickets_href(self) -> str:
        return cases(f"origin:rule created:{self.day}")

    @property
    def over_limit_href(self) -> str:
        return findings(since=self.day, by="decided", ticket="over_limit")

    @property
    def tickets_of_enabled(self) -> int:
        return self.tickets - self.tickets_of_others


def rules_in_order() -> list[Rule]:
    return list(Rule.objects.filter(kind=NAME))


def over_limit_today() -> dict[UUID | None, int]:
    """Rule → findings without a ticket because of its limit."""
    return over_limit_counts(since=midnight(utc_today()))


def today(rules: Sequence[Rule], over_limit: Mapping[UUID | None, int]) -> Today:
    usages = {usage.rule_id: usage for usage in DailyUsage.objects.filter(day=utc_today())}
    actions = {rule.pk: known_action(rule) for rule in rules}
    named = {action.project_id for action in actions.values() if action}
    projects = Project.objects.filter(pk__in=named)
    places = dict(projects.values_list("pk", "key"))
    shadowed = shadowed_by([spec_of(rule) for rule in rules])
    names = {rule.pk: rule.name for rule in rules}
    shown = [
        RuleToday(
            rule=rule,
            limit=action.max_tickets_per_day if (action := actions[rule.pk]) else 0,
            number=index + 1,
            place=places.get(action and action.project_id, "—"),
            usage=usages.get(rule.pk) or DailyUsage(rule_id=rule.pk, day=utc_today()),
            is_shadowed=index in shadowed,
        )
        for index, rule in enumerate(rules)
    ]
    tickets = sum(usage.ticketed for usage in usages.values())
    of_enabled = sum(row.usage.ticketed for row in shown if row.rule.enabled)
    return Today(
        day=utc_today(),
        rules=shown[:RULES],
        tickets=tickets,
        tickets_of_others=tickets - of_enabled,
        allowed=sum(row.limit for row in shown if row.rule.enabled),
        over_limit=sum(over_limit.values()),
        over_limit_rules=[(pk and names.get(pk)) or "a deleted rule" for pk in over_limit],
    )
