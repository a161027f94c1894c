"""Reads of rules for pages and the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from automation.engine.shadow import shadowed_by
from automation.kinds.ticket_creation.action import NAME, CreateTicket, Target
from automation.models import DailyUsage, Decision, Rule, RuleCheck
from automation.rules.data import spec_of
from automation.rules.slow import slowness
from config.accounts.models import User
from config.lib.utc import midnight
from findings.grouping import label_of
from findings.selectors import over_limit_counts
from ticketing.jira_people import assigned_user_id, users_named
from ticketing.models import Case, Destination, ExternalIssue, Project
from ticketing.models.jira_users import JiraAssignee
from ticketing.outbox import waiting_count

Outcome = Decision.Outcome
_PEOPLE = ("modified_by", "created_by")


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule on the list page, with today's numbers."""

    rule: Rule
    action: CreateTicket | None  # None: what is stored cannot be read
    reason: str  # why it is broken
    number: int  # 1 for the first
    project: Project | None  # None: the rule names one that does not exist
    destination: Destination | None  # the project's in Jira
    assignee: User | JiraAssignee | None
    usage: DailyUsage  # of the present UTC day; all zero if the rule did nothing
    over_limit: int  # findings that it decided today and that have no ticket
    last_ticket_at: datetime | None
    last_case: Case | None
    last_key: str  # of its issue in Jira, once there is one; else its own
    shadowed_by: int | None  # number of the earlier rule that matches everything this one would
    shadowed_by_id: str
    check: RuleCheck | None  # what was last seen of the destination
    waiting: int  # tickets that wait for a repaired destination

    @property
    def per(self) -> str:
        """What the findings of one ticket share; empty where each has its own."""
        return label_of(self.action.grouping) if self.action else ""

    @property
    def is_jira(self) -> bool:
        return self.action is not None and self.action.is_jira

    @property
    def is_assignee_gone(self) -> bool:
        """The rule names a person who does not exist; its next ticket will break it."""
        named = self.action and self.action.assignee_id
        return self.assignee is None and named is not None

    @property
    def field(self) -> str:
        """The external field at fault, if one is."""
        return self.check.field if self.check else ""

    @property
    def warning(self) -> str:
        """Why the next ticket would fail; a broken rule says why the last one did."""
        return self.check.warning if self.check and self.rule.enabled else ""

    @property
    def slowness(self) -> str:
        """How long the rule keeps evaluation busy; empty unless it was found to be slow."""
        return slowness(
            self.check.seconds_per_finding if self.check and self.rule.enabled else None
        )

    @property
    def state(self) -> str:
        if self.reason:
            return "broken"
        if not self.rule.enabled:
            return "disabled"
        return "limit_reached" if self.is_full else "enabled"

    @property
    def is_full(self) -> bool:
        return self.action is not None and self.usage.ticketed >= self.action.max_tickets_per_day


def rule_rows() -> list[RuleRow]:
    """Every rule in order; the number of statements does not depend on how many there are."""
    today = timezone.now().date()
    last = DailyUsage.objects.filter(rule_id=OuterRef("pk"), last_case_id__isnull=False).order_by(
        "-day"
    )
    rules = list(
        Rule.objects.filter(kind=NAME)
        .select_related(*_PEOPLE)
        .annotate(
            last_case_id=Subquery(last.values("last_case_id")[:1]),
            last_ticket_at=Subquery(last.values("last_ticket_at")[:1]),
        )
    )
    usages = {usage.rule_id: usage for usage in DailyUsage.objects.filter(day=today)}
    over_limit = over_limit_counts(since=midnight(today))
    specs = [spec_of(rule) for rule in rules]
    actions: dict[UUID, CreateTicket] = {
        UUID(spec.id): spec.action for spec in specs if spec.action is not None
    }
    projects = Project.objects.in_bulk({action.project_id for action in actions.values()})
    destinations = _destinations(set(projects))
    people = User.objects.in_bulk(
        {action.assignee_id for action in actions.values() if action.assignee_id}
    )
    there = _people_there(actions, destinations)
    checks = {check.rule_id: check for check in RuleCheck.objects.all()}
    waiting = waiting_count([rule.pk for rule in rules])
    cases = Case.objects.in_bulk({rule.last_case_id for rule in rules if rule.last_case_id})
    keys = _issue_keys(cases)
    shadows = shadowed_by(specs)
    return [
        RuleRow(
            rule=rule,
            action=(action := spec.action),
            reason=spec.auto_disabled_reason,
            number=index + 1,
            project=projects.get(action and action.project_id),
            destination=destinations.get(action and action.project_id),
            assignee=there.get(rule.pk) or people.get(action and action.assignee_id),
            usage=usages.get(rule.pk) or DailyUsage(rule_id=rule.pk, day=today),
            over_limit=over_limit.get(rule.pk, 0),
            last_ticket_at=rule.last_ticket_at,
            last_case=(case := cases.get(rule.last_case_id)),
            last_key=(keys.get(case.pk) or case.key) if case else "",
            shadowed_by=shadows[index] + 1 if index in shadows else None,
            shadowed_by_id=specs[shadows[index]].id if index in shadows else "",
            check=checks.get(rule.pk),
            waiting=waiting.get(rule.pk, 0),
        )
        for index, (rule, spec) in enumerate(zip(rules, specs, strict=True))
    ]


def _destinations(project_ids: set[UUID]) -> dict[UUID, Destination]:
    rows = Destination.objects.filter(project__in=project_ids).select_related("account")
    return {destination.project_id: destination for destination in rows}


def _issue_keys(cases: Iterable[UUID]) -> dict[UUID, str]:
    issues = ExternalIssue.objects.filter(case__in=cases, detached_at=None).exclude(issue_key="")
    return dict(issues.values_list("case_id", "issue_key"))


def _people_there(
    actions: Mapping[UUID, CreateTicket], destinations: Mapping[UUID, Destination]
) -> dict[UUID, User | JiraAssignee]:
    """Rule → whom it names in its Jira, if we know them."""
    named = {
        pk: (destinations[action.project_id].account_id, remote_assignee(action))
        for pk, action in actions.items()
        if action.project_id in destinations
    }
    users = users_named(set(named.values()))
    found = {pk: users[name] for pk, name in named.items() if name in users}
    return {pk: user.person or user.as_assignee for pk, user in found.items()}


def remote_assignee(action: CreateTicket) -> str:
    """The id in Jira of whom the rule assigns its tickets to; empty for nobody."""
    return assigned_user_id(action.fields or {}) if action.is_jira else ""


def rules_of_project(project_id: UUID) -> QuerySet[Rule]:
    """Those that create tickets in it."""
    return Rule.objects.filter(kind=NAME, action__project_id=str(project_id))


def jira_rules() -> QuerySet[Rule]:
    """Those that create tickets in Jira."""
    return Rule.objects.filter(kind=NAME, action__target=Target.JIRA)


def position_of(rule: Rule) -> tuple[int, int]:
    """(2, 7): its number in the list, and how many there are. One statement."""
    ids = list(Rule.objects.filter(kind=rule.kind).values_list("pk", flat=True))
    return (ids.index(rule.pk) + 1 if rule.pk in ids else len(ids)), len(ids)


def rule_by_id(rule_id: UUID) -> Rule | None:
    return Rule.objects.filter(pk=rule_id).select_related(*_PEOPLE).first()


def rule_of_kind(kind: str, rule_id: UUID) -> Rule | None:
    return Rule.objects.filter(kind=kind, pk=rule_id).select_related(*_PEOPLE).first()


def ordered_rules(kind: str) -> list[Rule]:
    return list(Rule.objects.filter(kind=kind))


def page_of_rules(kind: str, rows: slice) -> tuple[list[Rule], int]:
    """A page of the rules in order, and how many there are in all."""
    rules = Rule.objects.filter(kind=kind).select_related(*_PEOPLE)
    return list(rules[rows]), rules.count()


def broken_rule_count() -> int:
    return Rule.objects.exclude(auto_disabled_reason="").count()


def ticket_counts() -> dict[UUID, int]:
    """How many tickets each rule has ever made, added up from its days."""
    days = DailyUsage.objects.order_by().values_list("rule_id")
    return dict(days.annotate(tickets=Sum("ticketed")))


def rule_names(rule_ids: set[UUID]) -> dict[UUID, str]:
    """The present names of those rules that still exist."""
    return dict(Rule.objects.filter(pk__in=rule_ids).values_list("pk", "name"))
