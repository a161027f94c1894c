"""Reads of rules and decisions for pages and the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Max, OuterRef, Subquery, Sum
from django.utils import timezone

from automation.engine.explain import RuleTrace, explain
from automation.engine.shadow import shadowed_by
from automation.models import DailyUsage, Decision, Rule, RuleCheck, RuleSet
from automation.rulebook import specs_of
from config.accounts.models import User
from findings.facts import facts_from_json
from findings.models import Finding
from ticketing.models import Case, Destination, ExternalIssue, JiraUser, Project
from ticketing.outbox import waiting_count

Outcome = Decision.Outcome
KIND = RuleSet.Kind.TICKET_CREATION


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule on the list page, with today's numbers."""

    rule: Rule
    number: int  # 1 for the first
    project: Project | None  # None: the rule names one that does not exist
    destination: Destination | None  # the project's in Jira
    assignee: User | JiraUser | None
    usage: DailyUsage  # of the present UTC day; all zero if the rule did nothing
    last_ticket_at: datetime | None
    last_case: Case | None
    last_key: str  # of its issue in Jira, once there is one; else its own
    shadowed_by: int | None  # number of the earlier rule that matches everything this one would
    check: RuleCheck | None  # what was last seen of the destination
    waiting: int  # tickets that wait for a repaired destination

    @property
    def is_jira(self) -> bool:
        return self.rule.target == Rule.Target.JIRA

    @property
    def is_assignee_gone(self) -> bool:
        """The rule names a person who does not exist; its next ticket will break it."""
        return self.assignee is None and self.rule.assignee_id is not None

    @property
    def field(self) -> str:
        """The external field at fault, if one is."""
        return self.check.field if self.check else ""

    @property
    def warning(self) -> str:
        """Why the next ticket would fail; a broken rule says why the last one did."""
        return self.check.warning if self.check and self.rule.enabled else ""

    @property
    def state(self) -> str:
        if self.rule.is_broken:
            return "broken"
        if not self.rule.enabled:
            return "disabled"
        return "limit_reached" if self.is_full else "enabled"

    @property
    def is_full(self) -> bool:
        return self.usage.ticketed >= self.rule.max_tickets_per_day


def rule_rows() -> list[RuleRow]:
    """Every rule in order; the number of statements does not depend on how many there are."""
    today = timezone.now().date()
    last = DailyUsage.objects.filter(rule_id=OuterRef("pk"), last_case_id__isnull=False).order_by(
        "-day"
    )
    rules = list(
        Rule.objects.filter(kind=KIND)
        .select_related("modified_by", "created_by")
        .annotate(
            last_case_id=Subquery(last.values("last_case_id")[:1]),
            last_ticket_at=Subquery(last.values("last_ticket_at")[:1]),
        )
    )
    usages = {usage.rule_id: usage for usage in DailyUsage.objects.filter(day=today)}
    projects = Project.objects.in_bulk({rule.project_id for rule in rules})
    destinations = _destinations({rule.project_id for rule in rules})
    people = User.objects.in_bulk({rule.assignee_id for rule in rules if rule.assignee_id})
    there = _people_there(rules)
    checks = {check.rule_id: check for check in RuleCheck.objects.all()}
    waiting = waiting_count([rule.pk for rule in rules])
    cases = Case.objects.in_bulk({rule.last_case_id for rule in rules if rule.last_case_id})
    keys = _issue_keys(cases)
    shadows = shadowed_by([rule.spec for rule in rules])
    return [
        RuleRow(
            rule=rule,
            number=index + 1,
            project=projects.get(rule.project_id),
            destination=destinations.get(rule.project_id),
            assignee=there.get(remote_assignee(rule)) or people.get(rule.assignee_id),
            usage=usages.get(rule.pk) or DailyUsage(rule_id=rule.pk, day=today),
            last_ticket_at=rule.last_ticket_at,
            last_case=(case := cases.get(rule.last_case_id)),
            last_key=(keys.get(case.pk) or case.key) if case else "",
            shadowed_by=shadows[index] + 1 if index in shadows else None,
            check=checks.get(rule.pk),
            waiting=waiting.get(rule.pk, 0),
        )
        for index, rule in enumerate(rules)
    ]


def _destinations(project_ids: set[UUID]) -> dict[UUID, Destination]:
    rows = Destination.objects.filter(project__in=project_ids).select_related("account")
    return {destination.project_id: destination for destination in rows}


def _issue_keys(cases: Iterable[UUID]) -> dict[UUID, str]:
    issues = ExternalIssue.objects.filter(case__in=cases, detached_at=None).exclude(issue_key="")
    return dict(issues.values_list("case_id", "issue_key"))


def _people_there(rules: Sequence[Rule]) -> dict[str, JiraUser]:
    """The people in Jira whom rules name, by their id there."""
    ids = {remote_assignee(rule) for rule in rules} - {""}
    return {user.user_id: user for user in JiraUser.objects.filter(user_id__in=ids)}


def remote_assignee(rule: Rule) -> str:
    """The id in Jira of whom the rule assigns its tickets to; empty for nobody."""
    said = (rule.fields or {}).get("assignee") if rule.target == Rule.Target.JIRA else None
    if not isinstance(said, dict):
        return ""
    return str(said.get("accountId") or said.get("id") or said.get("name") or "")


def rule_by_id(rule_id: UUID) -> Rule | None:
    return (
        Rule.objects.filter(kind=KIND, pk=rule_id)
        .select_related("modified_by", "created_by")
        .first()
    )


def page_of_rules(rows: slice) -> tuple[list[Rule], int]:
    """A page of the rules in order, and how many there are in all."""
    rules = Rule.objects.filter(kind=KIND).select_related("modified_by", "created_by")
    return list(rules[rows]), rules.count()


def broken_rule_count() -> int:
    return Rule.objects.filter(kind=KIND).exclude(auto_disabled_reason="").count()


def ticket_counts() -> dict[UUID, int]:
    """How many tickets each rule has ever made, added up from its days."""
    days = DailyUsage.objects.order_by().values_list("rule_id")
    return dict(days.annotate(tickets=Sum("ticketed")))


@dataclass(frozen=True, slots=True)
class Day:
    """The pipeline's last 24 hours."""

    outcomes: Mapping[str, int]
    last_evaluated_at: datetime | None

    @property
    def findings(self) -> int:
        return sum(self.outcomes.values())

    @property
    def tickets(self) -> int:
        return self.outcomes.get(Outcome.TICKETED, 0)

    @property
    def unmatched(self) -> int:
        return self.outcomes.get(Outcome.NO_MATCH, 0) + self.outcomes.get(Outcome.NO_RULES, 0)


def last_day() -> Day:
    since = timezone.now() - timedelta(hours=24)
    rows = (
        Decision.objects.filter(created_at__gt=since)
        .order_by()
        .values("outcome")
        .annotate(number=Count("pk"))
    )
    last = Decision.objects.aggregate(last=Max("created_at"))["last"]
    return Day({row["outcome"]: row["number"] for row in rows}, last)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a finding has the ticket that it has, or has none: the decision, replayed."""

    decision: Decision
    traces: Sequence[RuleTrace]  # the rules as they were then, in order
    rules_now: frozenset[UUID]  # those that still exist
    case: Case | None
    seconds_to_ticket: float | None

    @property
    def limit(self) -> int | None:
        """The matching rule's limit as it was then."""
        for trace in self.traces:
            if trace.state == "matched":
                return trace.rule.max_tickets_per_day
        return None


def explain_finding(finding: Finding) -> Explanation | None:
    """The newest decision on the finding, explained; None if it was never evaluated."""
    decision = _latest_decision(finding)
    if decision is None:
        return None
    specs = specs_of(decision.rule_set_version)
    case = Case.objects.filter(pk=decision.case_id).first() if decision.case_id else None
    return Explanation(
        decision=decision,
        traces=explain(specs, facts_from_json(decision.facts)),
        rules_now=frozenset(
            Rule.objects.filter(pk__in=[spec.id for spec in specs]).values_list("pk", flat=True)
        ),
        case=case,
        seconds_to_ticket=(case.created_at - decision.requested_at).total_seconds()
        if case
        else None,
    )


def _latest_decision(finding: Finding) -> Decision | None:
    return Decision.objects.filter(finding=finding).order_by("-id").first()


_REASONS = {
    Outcome.NO_RULES: "No rule was enabled when it was found.",
    Outcome.NO_MATCH: "No rule matched.",
    Outcome.MUTED: "It was muted when it was evaluated.",
    Outcome.OVER_LIMIT: "{rule} matched but reached its daily limit of {limit}.",
    Outcome.ERROR: "{rule} matched but is broken: {reason}",
    Outcome.TICKETED: "Its ticket was detached.",
    Outcome.ALREADY_TICKETED: "Its ticket was detached.",
}


def reason_without_ticket(finding: Finding) -> str:
    """One sentence from a closed list: why this finding has no ticket."""
    if finding.waits:
        return "Waiting to be evaluated."
    decision = _latest_decision(finding)
    if decision is None:
        return "It was resolved before it was evaluated."
    rule, limit = _rule_then(decision)
    sentence = _REASONS[Outcome(decision.outcome)]
    return sentence.format(rule=rule, limit=limit, reason=decision.reason)


def _rule_then(decision: Decision) -> tuple[str, int]:
    """("Rule 3", its limit) of the matching rule, as it was when the decision was made."""
    for number, spec in enumerate(specs_of(decision.rule_set_version), start=1):
        if decision.rule_id and spec.id == str(decision.rule_id):
            return f"Rule {number}", spec.max_tickets_per_day
    return "A rule", 0


def rule_names(rule_ids: set[UUID]) -> dict[UUID, str]:
    """The present names of those rules that still exist."""
    return dict(Rule.objects.filter(pk__in=rule_ids).values_list("pk", "name"))
