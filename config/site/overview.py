"""What the overview page says. Every number is counted from what was stored; none is estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from statistics import median, quantiles
from uuid import UUID

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from automation.engine.compile import compile_rules
from automation.engine.shadow import shadowed_by
from automation.kinds.ticket_creation.action import NAME
from automation.models import DailyUsage, Decision, Rule, RuleCheck
from automation.rules.data import known_action, spec_of
from config.lib.utc import midnight
from findings.facts import OPEN_STATUSES, Severity, Ticket, facts_from_json
from findings.models import Finding
from findings.selectors import over_limit_counts
from ticketing.models import Case, ExternalIssue, Project
from ticketing.outbox import waiting_count

Outcome = Decision.Outcome
RANGES = {"1d": ("Today", 1), "7d": ("7 d", 7), "30d": ("30 d", 30)}
RULES = 8  # shown; the rest is on the rules page
EXAMINED = 2_000  # decisions that are matched again for what broken rules missed, the newest
TIMED = 1_000  # tickets whose time is looked at, the newest
_ATTACHED = [ticket.value for ticket in Ticket if ticket.is_attached]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of the findings that matched a rule, how many have a ticket."""

    ticketed: int
    matched: int
    ticketed_before: int  # in as many days before
    matched_before: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.ticketed / self.matched) if self.matched else None

    @property
    def change(self) -> int | None:
        """Percentage points since the time before."""
        if not self.matched or not self.matched_before:
            return None
        return (self.percent or 0) - round(100 * self.ticketed_before / self.matched_before)


@dataclass(frozen=True, slots=True)
class RuleToday:
    rule: Rule
    limit: int
    number: int
    place: str  # the project's key
    usage: DailyUsage
    is_shadowed: bool


@dataclass(frozen=True, slots=True)
class Today:
    """The present UTC day of the daily limits."""

    rules: Sequence[RuleToday]
    tickets: int  # of the rules that are enabled, whose limits are counted
    tickets_of_others: int  # of rules that are disabled, broken or deleted by now
    allowed: int
    over_limit: int  # findings without a ticket, decided today
    over_limit_rules: Sequence[str]  # one for each, gone or not


@dataclass(frozen=True, slots=True)
class Broken:
    rules: Sequence[Rule]
    at: datetime | None  # when the first of them was disabled
    causes: Mapping[str, int]  # why → how many rules, most first
    missed: int  # findings that they would have ticketed since then, and that have no ticket
    is_cut: bool  # there may be more: only the newest decisions were looked at
    waiting: int  # their tickets that wait for a repaired destination
    field: str  # at fault in the first


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds from a finding to its created ticket."""

    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class SeverityCount:
    severity: Severity
    open: int
    ticketed: int


@dataclass(frozen=True, slots=True)
class TicketDay:
    day: date
    automated: int
    manual: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    outcomes: Mapping[str, int]

    @property
    def findings(self) -> int:
        return sum(self.outcomes.values())

    @property
    def steps(self) -> list[tuple[str, int, str]]:
        """(what, findings, tone), in the order of the pipeline."""
        count = Counter(self.outcomes)
        unmatched = count[Outcome.NO_MATCH] + count[Outcome.NO_RULES]
        return [
            ("Evaluated findings", self.findings, ""),
            ("Muted", count[Outcome.MUTED], ""),
            ("No rule matched", unmatched, ""),
            ("A rule matched", self.findings - unmatched - count[Outcome.MUTED], ""),
            ("Ticketed", count[Outcome.TICKETED], "volt"),
            ("Over a daily limit", count[Outcome.OVER_LIMIT], "warn"),
            ("Rule broken", count[Outcome.ERROR], "bad"),
        ]


def rules_in_order() -> list[Rule]:
    return list(Rule.objects.filter(kind=NAME))


def today(rules: Sequence[Rule]) -> Today:
    usages = {usage.rule_id: usage for usage in DailyUsage.objects.filter(day=_today())}
    over_limit = over_limit_counts(since=midnight(_today()))
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
            usage=usages.get(rule.pk) or DailyUsage(rule_id=rule.pk, day=_today()),
            is_shadowed=index in shadowed,
        )
        for index, rule in enumerate(rules)
    ]
    tickets = sum(row.usage.ticketed for row in shown if row.rule.enabled)
    return Today(
        rules=shown[:RULES],
        tickets=tickets,
        tickets_of_others=sum(usage.ticketed for usage in usages.values()) - tickets,
        allowed=sum(row.limit for row in shown if row.rule.enabled),
        over_limit=sum(over_limit.values()),
        over_limit_rules=[names.get(pk, "a deleted rule") for pk in over_limit],
    )


def coverage(days: int) -> Coverage:
    first = _today() - timedelta(days=days - 1)
    rows = DailyUsage.objects.filter(day__gt=first - timedelta(days=days + 1))
    sums: Counter[tuple[str, bool]] = Counter()
    for row in rows.only("day", "ticketed", "already_ticketed", "over_limit", "error"):
        if row.day < first - timedelta(days=days):
            continue
        done = row.ticketed + row.already_ticketed
        sums["ticketed", row.day >= first] += done
        sums["matched", row.day >= first] += done + row.over_limit + row.error
    return Coverage(
        ticketed=sums["ticketed", True],
        matched=sums["matched", True],
        ticketed_before=sums["ticketed", False],
        matched_before=sums["matched", False],
    )


def broken(rules: Sequence[Rule]) -> Broken | None:
    """The rules that a fault has disabled, and what they missed since; None if there are none."""
    gone = [rule for rule in rules if rule.is_broken]
    if not gone:
        return None
    past = Rule.history.filter(history_change_reason__startswith="auto-disabled")
    when = past.filter(id__in=[rule.pk for rule in gone]).order_by("history_date")
    since: dict[UUID, datetime] = dict(when.values_list("id", "history_date"))
    at = min(since.values(), default=None)
    missed, is_cut = _missed(gone, since=at) if at else (0, False)
    check = RuleCheck.objects.filter(rule=gone[0]).first()
    return Broken(
        rules=gone,
        at=at,
        causes=dict(Counter(rule.auto_disabled_reason for rule in gone).most_common()),
        missed=missed,
        is_cut=is_cut,
        waiting=sum(waiting_count([rule.pk for rule in gone]).values(), start=0),
        field=check.field if check else "",
    )


def _missed(rules: Sequence[Rule], *, since: datetime) -> tuple[int, bool]:
    """How many findings without a ticket, decided since then, any of the rules would match.

    A broken rule is skipped, so no decision names it: what it missed is matched again here.
    """
    specs = [replace(spec_of(rule), enabled=True, auto_disabled_reason="") for rule in rules]
    compiled = compile_rules(specs)
    without = Decision.objects.filter(
        kind=NAME,
        created_at__gte=since,
        finding__ticket__in=(Ticket.NONE, Ticket.OVER_LIMIT),
        finding__status__in=OPEN_STATUSES,
    ).exclude(outcome=Outcome.MUTED)
    newest = list(without.order_by("-id").values_list("finding_id", "facts")[:EXAMINED])
    missed = {
        finding
        for finding, facts in newest
        if compiled.first_match(facts_from_json(facts)) is not None
    }
    return len(missed), len(newest) == EXAMINED


def speed(days: int) -> Speed | None:
    """Of the newest tickets that rules made and that are created where they belong."""
    since = midnight(_today() - timedelta(days=days - 1))
    ticketed = Decision.objects.filter(outcome=Outcome.TICKETED, created_at__gte=since)
    newest = ticketed.order_by("-created_at").values_list("case_id", "requested_at")[:TIMED]
    requested = {case_id: requested_at for case_id, requested_at in newest if case_id}
    created: dict[UUID, datetime | None] = dict(
        Case.objects.filter(pk__in=requested).values_list("pk", "created_at")
    )
    issues = ExternalIssue.objects.filter(case__in=requested, detached_at=None)
    created |= dict(issues.values_list("case_id", "delivered_at"))
    seconds = sorted(
        (moment - requested[case_id]).total_seconds()
        for case_id, moment in created.items()
        if moment
    )
    if not seconds:
        return None
    return Speed(median(seconds), quantiles([*seconds, seconds[-1]], n=20, method="inclusive")[-1])


def open_by_severity() -> list[SeverityCount]:
    rows = (
        Finding.objects.filter(status__in=OPEN_STATUSES)
        .order_by()
        .values("severity")
        .annotate(open=Count("pk"), ticketed=Count("pk", filter=Q(ticket__in=_ATTACHED)))
    )
    found = {row["severity"]: row for row in rows}
    always = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)
    return [
        SeverityCount(severity, row["open"], row["ticketed"])
        for severity in Severity
        if (row := found.get(severity, {"open": 0, "ticketed": 0}))
        if severity in found or severity in always
    ]


def ticket_days(days: int) -> list[TicketDay]:
    """Tickets of rules and of people on each UTC day; test tickets and limit notices are none."""
    first = _today() - timedelta(days=days - 1)
    by_rule = Count("pk", filter=Q(origin=Case.Origin.RULE))
    by_hand = Count("pk", filter=Q(origin__in=[Case.Origin.MANUAL, Case.Origin.API]))
    rows = (
        Case.objects.filter(created_at__gte=midnight(first))
        .order_by()
        .values(day=TruncDate("created_at", tzinfo=UTC))
        .annotate(automated=by_rule, manual=by_hand)
    )
    found = {row["day"]: TicketDay(**row) for row in rows}
    every = [first + timedelta(days=after) for after in range(days)]
    return [found.get(day) or TicketDay(day, 0, 0) for day in every]


def pipeline() -> Pipeline:
    rows = Decision.objects.filter(kind=NAME, created_at__gt=timezone.now() - timedelta(hours=24))
    counted = rows.order_by().values("outcome").annotate(number=Count("pk"))
    return Pipeline({row["outcome"]: row["number"] for row in counted})


def _today() -> date:
    return timezone.now().date()
