"""What was decided about findings, replayed and put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Max, Q
from django.utils import timezone

from automation.decisions.facts import facts_of
from automation.engine.explain import RuleTrace, explain
from automation.engine.rules import RuleSpec
from automation.kinds.ticket_creation.action import NAME
from automation.models import Decision, Rule
from automation.rules.active import specs_of
from findings.facts import Ticket
from findings.grouping import group_field, label_of, values_of
from findings.models import Finding
from ticketing.models import Attachment, Case

Outcome = Decision.Outcome


@dataclass(frozen=True, slots=True)
class Day:
    """The pipeline's last 24 hours, as the explorer finds them by the time of the decision."""

    findings: int  # decided, each counted once
    unticketed: int  # of them, whatever the reason
    tickets: int
    last_evaluated_at: datetime | None


def last_day() -> Day:
    since = timezone.now() - timedelta(hours=24)
    unticketed = Q(finding__ticket__in=[t.value for t in Ticket if not t.is_attached])
    counts = Decision.objects.filter(kind=NAME, created_at__gte=since).aggregate(
        findings=Count("finding", distinct=True),
        unticketed=Count("finding", distinct=True, filter=unticketed),
        tickets=Count("pk", filter=Q(outcome=Outcome.TICKETED)),
    )
    last = Decision.objects.aggregate(last=Max("created_at"))["last"]
    return Day(**counts, last_evaluated_at=last)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a finding has the ticket that it has, or has none: the decision, replayed."""

    decision: Decision
    traces: Sequence[RuleTrace]  # the rules as they were then, in order
    rules_now: frozenset[UUID]  # those that still exist
    case: Case | None
    seconds_to_ticket: float | None
    sharing: int  # findings that are on the case now besides this one

    @property
    def rule(self) -> RuleSpec | None:
        """The one that was decided for, as it was then."""
        decided = str(self.decision.rule_id)
        return next((each.rule for each in self.traces if each.rule.id == decided), None)

    @property
    def limit(self) -> int | None:
        return int(self.rule.action.max_tickets_per_day) if self.rule else None

    @property
    def grouping(self) -> Grouping | None:
        """By what the rule put findings on one ticket; None if it made one for each."""
        if self.rule is None or not (fields := self.rule.action.grouping):
            return None
        facts = facts_of(self.decision)
        return Grouping(fields, tuple((values_of([name], facts) or ("",))[0] for name in fields))


class Grouping(NamedTuple):
    """The fields of a rule's groups, and the finding's value of each; empty if it lacks it."""

    fields: Sequence[str]
    values: Sequence[str]

    @property
    def label(self) -> str:
        return label_of(self.fields)

    @property
    def lacks(self) -> str:
        """As in "it names no package"; empty if it has them all."""
        pairs = zip(self.fields, self.values, strict=True)
        missing = [group_field(name).short for name, value in pairs if not value]
        return " and no ".join(missing)

    @property
    def said(self) -> str:
        """As in "pypi/grpcio, payments"."""
        return ", ".join(self.values)


def explain_finding(finding: Finding) -> Explanation | None:
    """The newest decision on the finding, explained; None if it was never evaluated."""
    decision = _latest_decision(finding)
    if decision is None:
        return None
    specs = specs_of(decision.kind, decision.rule_set_version)
    case = Case.objects.filter(pk=decision.case_id).first() if decision.case_id else None
    return Explanation(
        decision=decision,
        traces=explain(specs, facts_of(decision)),
        rules_now=frozenset(
            Rule.objects.filter(
                pk__in=[spec.id for spec in specs if not spec.is_default]
            ).values_list("pk", flat=True)
        ),
        case=case,
        seconds_to_ticket=_seconds_to_ticket(decision, case) if case else None,
        sharing=Attachment.objects.filter(case=case).exclude(finding=finding).count()
        if case
        else 0,
    )


def _seconds_to_ticket(decision: Decision, case: Case) -> float:
    """A case that it was added to may be older than the finding."""
    is_added = decision.outcome == Outcome.GROUPED
    at = decision.created_at if is_added else case.created_at
    return (at - decision.requested_at).total_seconds()


def _latest_decision(finding: Finding) -> Decision | None:
    return Decision.objects.filter(kind=NAME, finding=finding).order_by("-id").first()


def rules_over_limit(finding_pks: Sequence[int]) -> dict[int, UUID]:
    """The rule over whose limit each was, of those of which that is the last decision."""
    decisions = Decision.objects.filter(kind=NAME, finding__in=finding_pks).order_by("id")
    rows = decisions.values_list("finding_id", "outcome", "rule_id")
    last = {pk: rule_id if outcome == Outcome.OVER_LIMIT else None for pk, outcome, rule_id in rows}
    return {pk: rule_id for pk, rule_id in last.items() if pk is not None and rule_id is not None}


_REASONS = {
    Outcome.NO_RULES: "No rule was enabled when it was found.",
    Outcome.NO_MATCH: "No rule matched.",
    Outcome.MUTED: "It was muted when it was evaluated.",
    Outcome.OVER_LIMIT: "{rule} matched but reached its daily limit of {limit}.",
    Outcome.ERROR: "{rule} matched but is broken: {reason}",
    Outcome.TICKETED: "Its ticket was detached.",
    Outcome.GROUPED: "Its ticket was detached.",
    Outcome.ALREADY_TICKETED: "Its ticket was detached.",
}


def reason_without_ticket(finding: Finding) -> str:
    """One sentence from a closed list: why this finding has no ticket."""
    if finding.waits:
        return "Waiting to be evaluated."
    decision = _latest_decision(finding)
    if decision is None:
        return "It was resolved before it was evaluated."
    if decision.outcome == Outcome.ERROR and decision.rule_id is None:
        return decision.reason  # the finding's own, whatever the rules are
    rule, limit = _rule_then(decision)
    sentence = _REASONS[Outcome(decision.outcome)]
    return sentence.format(rule=rule, limit=limit, reason=decision.reason)


def _rule_then(decision: Decision) -> tuple[str, int]:
    """("Rule 3", its limit) of the matching rule, as it was when the decision was made."""
    for number, spec in enumerate(specs_of(decision.kind, decision.rule_set_version), start=1):
        if decision.rule_id and spec.id == str(decision.rule_id):
            return f"Rule {number}", int(spec.action.max_tickets_per_day)
    return "A rule", 0
